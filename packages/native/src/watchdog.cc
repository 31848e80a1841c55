#include "watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>

#include "arguments.h"
#include "stack.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434  // the same everywhere, and newer than some systems' headers
#endif

namespace mapache {

namespace {

// How many parts the limit has. A process that was stopped (SIGSTOP, a frozen container) finds all its time gone when it
// goes on; it loses one part by it and not its life.
constexpr int kParts = 4;

struct Watchdog {
  pthread_t thread;
  int process;  // a pidfd, or -1 if the supervisor was gone from the start
  int stop;     // an eventfd
  int asked;    // the same: somebody wants to know where the JavaScript is
  v8::Isolate* isolate;
  int limit;
  std::atomic<bool> turned{false};
  uv_async_t* heartbeat;
};

Watchdog* watchdog = nullptr;

// Returns true when the watchdog shall stop, false when the time is over or the supervisor gone.
bool WaitFor(Watchdog* self, int milliseconds, bool for_process) {
  pollfd watched[3] = {{self->stop, POLLIN, 0}, {self->process, POLLIN, 0}, {self->asked, POLLIN, 0}};
  for (;;) {
    int ready = poll(watched, for_process ? 3 : 1, milliseconds);
    if (ready < 0 && errno == EINTR) continue;
    if (for_process && ready > 0 && watched[2].revents != 0) {
      eventfd_t times;
      eventfd_read(self->asked, &times);
      RequestStack(self->isolate);
      if (watched[0].revents == 0 && watched[1].revents == 0) continue;
    }
    return watched[0].revents != 0;
  }
}

void* Watch(void* data) {
  Watchdog* self = static_cast<Watchdog*>(data);
  pthread_setname_np(pthread_self(), "mapache-watch");
  // While the supervisor lives this is all: one wait, without an end.
  if (self->process >= 0 && WaitFor(self, -1, true)) return nullptr;
  int part = self->limit / kParts > 0 ? self->limit / kParts : 1;
  for (int missed = 0; missed < kParts;) {
    self->turned = false;
    uv_async_send(self->heartbeat);
    if (WaitFor(self, part, false)) return nullptr;
    missed = self->turned ? 0 : missed + 1;
  }
  kill(getpid(), SIGKILL);
  return nullptr;
}

void End(Watchdog* self) {
  if (self->process >= 0) close(self->process);
  close(self->stop);
  EndStack();
  close(self->asked);
  uv_close(reinterpret_cast<uv_handle_t*>(self->heartbeat),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
  delete self;
}

void Start(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (watchdog != nullptr) return ThrowErrno(isolate, EBUSY, "watchdog");
  int process = static_cast<int>(syscall(SYS_pidfd_open, IntAt(args, 0), 0));
  if (process < 0 && errno != ESRCH) return ThrowErrno(isolate, errno, "pidfd_open");
  int stop = eventfd(0, EFD_CLOEXEC);
  int asked = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop < 0 || asked < 0) {
    int error = errno;
    for (int fd : {process, stop, asked}) {
      if (fd >= 0) close(fd);
    }
    return ThrowErrno(isolate, error, "eventfd");
  }
  Watchdog* self = new Watchdog{};
  self->process = process;
  self->stop = stop;
  self->asked = asked;
  self->isolate = isolate;
  self->limit = IntAt(args, 1);
  self->heartbeat = new uv_async_t;
  self->heartbeat->data = self;
  uv_async_init(node::GetCurrentEventLoop(isolate), self->heartbeat,
                [](uv_async_t* heartbeat) { static_cast<Watchdog*>(heartbeat->data)->turned = true; });
  uv_unref(reinterpret_cast<uv_handle_t*>(self->heartbeat));
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&self->thread, nullptr, Watch, self);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    End(self);
    return ThrowErrno(isolate, error, "pthread_create");
  }
  watchdog = self;
  if (args[2]->IsString()) BeginStack(StringAt(args, 2), asked);
}

void Stop(const Arguments&) {
  if (watchdog == nullptr) return;
  eventfd_write(watchdog->stop, 1);
  pthread_join(watchdog->thread, nullptr);
  End(watchdog);
  watchdog = nullptr;
}

}  // namespace

bool WatchdogRuns() {
  return watchdog != nullptr;
}

void InstallWatchdog(v8::Local<v8::Object> exports) {
  SetFunction(exports, "startWatchdog", Start);
  SetFunction(exports, "stopWatchdog", Stop);
}

}  // namespace mapache
