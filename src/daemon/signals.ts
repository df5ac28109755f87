/**
 * Signals to the daemon: SIGHUP reloads the configuration; the first of the others asks it to stop
 * and leave nothing behind, a second Ctrl-C ends it as it is.
 */

const STOPPING = ['SIGTERM', 'SIGINT'] as const;
/** What shells call an end by SIGINT. */
const INTERRUPTED = 130;

/** Calls `stop` at the first signal. Returns how to take the handlers off again. */
export function onStopSignal(stop: (signal: string) => void): () => void {
  let isStopping = false;
  const receive = (signal: NodeJS.Signals): void => {
    if (isStopping && signal === 'SIGINT') process.exit(INTERRUPTED);
    if (!isStopping) stop(signal);
    isStopping = true;
  };
  for (const signal of STOPPING) process.on(signal, receive);
  return () => {
    for (const signal of STOPPING) process.off(signal, receive);
  };
}

/** Calls `reload` at each SIGHUP. Returns how to take the handler off again. */
export function onReloadSignal(reload: () => void): () => void {
  process.on('SIGHUP', reload);
  return () => process.off('SIGHUP', reload);
}
