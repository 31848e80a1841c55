#include "quiet.h"

#include <stdlib.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace mapache {

namespace {

// As libuv reads it, once, when its first work comes.
size_t ThreadCount() {
  const char* value = getenv("UV_THREADPOOL_SIZE");
  if (value == nullptr) return 4;
  int count = atoi(value);
  return count <= 0 ? 1 : count > 1024 ? 1024 : static_cast<size_t>(count);
}

}  // namespace

// The loop is not the process's own: the child must not be left with requests that never end.
struct Quiet::Barrier {
  uv_loop_t loop;
  std::vector<uv_work_t> work;
  std::mutex mutex;
  std::condition_variable changed;
  size_t inside = 0;
  bool open = false;

  static void Enter(uv_work_t* work) {
    Barrier* self = static_cast<Barrier*>(work->data);
    std::unique_lock<std::mutex> lock(self->mutex);
    self->inside++;
    self->changed.notify_all();
    self->changed.wait(lock, [self] { return self->open; });
  }
};

Quiet::Quiet(int milliseconds) : barrier_(new Barrier) {
  if (uv_loop_init(&barrier_->loop) != 0) {
    delete barrier_;
    barrier_ = nullptr;
    return;
  }
  barrier_->work.resize(ThreadCount());
  for (uv_work_t& work : barrier_->work) {
    work.data = barrier_;
    uv_queue_work(&barrier_->loop, &work, Barrier::Enter, [](uv_work_t*, int) {});
  }
  std::unique_lock<std::mutex> lock(barrier_->mutex);
  barrier_->changed.wait_for(lock, std::chrono::milliseconds(milliseconds),
                             [this] { return barrier_->inside == barrier_->work.size(); });
}

void Quiet::AfterForkInParent() {
  if (barrier_ == nullptr) return;
  // Those that no thread took yet would be waited for as long as what blocks the threads lasts.
  for (uv_work_t& work : barrier_->work) uv_cancel(reinterpret_cast<uv_req_t*>(&work));
  {
    std::lock_guard<std::mutex> lock(barrier_->mutex);
    barrier_->open = true;
    barrier_->changed.notify_all();
  }
  uv_run(&barrier_->loop, UV_RUN_DEFAULT);
  uv_loop_close(&barrier_->loop);
  delete barrier_;
}

void Quiet::AfterForkInChild() {
  if (barrier_ == nullptr) return;
  // The threads that would end the work are not here, and the lock and its waiters are left behind: only the
  // descriptors are given back.
  barrier_->loop.active_reqs.count = 0;
  uv_loop_close(&barrier_->loop);
}

}  // namespace mapache
