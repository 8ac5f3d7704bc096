const ORPHAN_CHECK_MS = 1_000;

/**
 * Stops this process cleanly if npm dies. Without this check the process would live on, because npm passes on
 * SIGTERM and SIGINT, but not SIGHUP or its own SIGKILL.
 */
export function endWithParent() {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return;
  const checking = setInterval(() => {
    if (process.ppid === parent) return;
    // Only once: a second SIGTERM ends the process at once, even if it has not finished to stop.
    clearInterval(checking);
    process.kill(process.pid, 'SIGTERM');
  }, ORPHAN_CHECK_MS);
  checking.unref();
}
