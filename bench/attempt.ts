/** Something that fails costs its own figures, not the run. */

/** Resolves also when the action fails: then after a remark on what failed, and why. */
export async function attempt(
  what: string,
  remark: (sentence: string) => void,
  action: () => Promise<void>,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    remark(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
