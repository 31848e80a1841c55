#ifndef MAPACHE_FORK_H_
#define MAPACHE_FORK_H_

#include <sys/types.h>

namespace mapache {

// fork(2), twice: the process in between ends at once, so that the new one belongs to the next subreaper above us (the
// supervisor) and not to us. Returns the new process's pid, 0 in the new process, or a negative errno. The new process
// is a session leader, and its getppid() is the subreaper already. Call it with all signals blocked.
pid_t ForkAway();

}  // namespace mapache

#endif  // MAPACHE_FORK_H_
