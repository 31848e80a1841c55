// The functions that src/binding.ts describes. The JavaScript around them checks arguments and the order of calls.

#include <node.h>
#include <signal.h>
#include <unistd.h>
#include <uv.h>

#include "arguments.h"
#include "descriptors.h"
#include "fork.h"
#include "mappings.h"
#include "platform.h"
#include "processes.h"
#include "quiet.h"
#include "watchdog.h"

namespace mapache {

namespace {

// How long work in libuv's threads is waited for, before each fork.
constexpr int kQuietLimit = 250;

Pool* pool = nullptr;
int exit_code = 0;

struct Nothing : v8::Task {
  void Run() override {}
};

node::Environment* CurrentEnvironment(v8::Isolate* isolate) {
  return node::GetCurrentEnvironment(isolate->GetCurrentContext());
}

void Prepare(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (pool != nullptr) return;
  node::Environment* environment = CurrentEnvironment(isolate);
  pool = InstallPool(node::GetMultiIsolatePlatform(environment));
  // process.exit() destroys the platform that a task of ours may be using.
  node::SetProcessExitHandler(environment, [](node::Environment* environment, int code) {
    pool->Stop();
    pool->Join(1000);
    node::DefaultProcessExitHandler(environment, code);
  });
}

void Settle(const Arguments& args) {
  args.GetReturnValue().Set(OriginalsAreIdle(IntAt(args, 0)));
}

void StopPool(const Arguments& args) {
  pool->Stop();
}

void StartPool(const Arguments& args) {
  pool->Start();
}

void JoinPool(const Arguments& args) {
  args.GetReturnValue().Set(pool->Join(IntAt(args, 0)));
}

// A forked process lacks the threads that Node joins at its end, so it leaves by _exit(2) on every way: here for
// process.exit() and for errors that nobody caught, and by a cleanup hook for a natural end.
void ExitByOurselves(v8::Isolate* isolate) {
  node::SetProcessExitHandler(CurrentEnvironment(isolate), [](node::Environment*, int code) { _exit(code); });
  static bool hooked = false;
  if (!hooked) node::AddEnvironmentCleanupHook(isolate, [](void*) { _exit(exit_code); }, nullptr);
  hooked = true;
}

void SetExitCode(const Arguments& args) {
  exit_code = IntAt(args, 0);
}

// In the child, before anything else of it runs.
void BeginChild(v8::Isolate* isolate, uv_loop_t* loop, Quiet* quiet) {
  // libuv shares its epoll instance with the parent until then.
  if (uv_loop_fork(loop) != 0) _exit(71);
  uv_mutex_unlock(&loop->wq_mutex);
  quiet->AfterForkInChild();
  uv_update_time(loop);
  pool->AfterForkInChild();
  ExitByOurselves(isolate);
  // uv_loop_fork forgets who was to be woken. Results of libuv's threads and tasks for the main thread may be waiting.
  uv_async_send(&loop->wq_async);
  node::GetMultiIsolatePlatform(CurrentEnvironment(isolate))
      ->GetForegroundTaskRunner(isolate)
      ->PostTask(std::make_unique<Nothing>());
}

// Returns the pid of the new process, and 0 in that process. The pool's threads have ended before, and run again after,
// whatever came of it.
void Fork(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  uv_loop_t* loop = node::GetCurrentEventLoop(isolate);
  // A signal caught between the fork and uv_loop_fork would be written to a pipe that both processes read.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Quiet quiet(kQuietLimit);
  int pid = -ShareMappings();
  if (pid == 0) {
    // A thread that is late may be about to hand over a result.
    uv_mutex_lock(&loop->wq_mutex);
    pool->BeforeFork();
    pid = ForkAway();
    if (pid == 0) {
      BeginChild(isolate, loop, &quiet);
    } else {
      pool->AfterForkInParent();
      uv_mutex_unlock(&loop->wq_mutex);
    }
  }
  if (pid != 0) quiet.AfterForkInParent();
#ifndef MAPACHE_WITHOUT_POOL
  pool->Start();
#endif
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return ThrowErrno(isolate, -pid, "fork");
  args.GetReturnValue().Set(pid);
}

void GetWatchdogRuns(const Arguments& args) {
  args.GetReturnValue().Set(WatchdogRuns());
}

}  // namespace

}  // namespace mapache

NODE_MODULE_INIT(/* exports, module, context */) {
  using namespace mapache;
  SetFunction(exports, "prepare", Prepare);
  SetFunction(exports, "settle", Settle);
  SetFunction(exports, "stopPool", StopPool);
  SetFunction(exports, "startPool", StartPool);
  SetFunction(exports, "joinPool", JoinPool);
  SetFunction(exports, "fork", Fork);
  SetFunction(exports, "setExitCode", SetExitCode);
  SetFunction(exports, "watchdogRuns", GetWatchdogRuns);
  InstallDescriptors(exports);
  InstallProcesses(exports);
  InstallWatchdog(exports);
}
