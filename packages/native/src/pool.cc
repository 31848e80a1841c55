#include "pool.h"

#include <signal.h>
#include <time.h>

#include <algorithm>
#include <chrono>

namespace mapache {

namespace {

// As large as what Node gives its own: the optimising compiler recurses deeply, and musl's default is 128 KB.
constexpr size_t kStackSize = 8 << 20;

double Now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::chrono::steady_clock::time_point PointAt(double seconds) {
  auto since = std::chrono::duration<double>(seconds);
  return std::chrono::steady_clock::time_point(std::chrono::duration_cast<std::chrono::steady_clock::duration>(since));
}

}  // namespace

void Pool::Post(Priority priority, std::unique_ptr<v8::Task> task) {
  std::lock_guard<std::mutex> lock(shared_->mutex);
  queues_[priority].push_back(std::move(task));
  posted_++;
  Grow();
  shared_->wake.notify_one();
}

void Pool::PostDelayed(Priority priority, std::unique_ptr<v8::Task> task, double seconds) {
  std::lock_guard<std::mutex> lock(shared_->mutex);
  delayed_.push_back({Now() + std::max(seconds, 0.0), priority, std::move(task)});
  Grow();
  // Whoever waits may wait for a later one.
  shared_->wake.notify_one();
}

size_t Pool::Drain() {
  std::unique_lock<std::mutex> lock(shared_->mutex);
  while (running_ > 0 || !Empty()) {
    std::unique_ptr<v8::Task> task;
    // Without a thread (the system gave none) there is nobody to wait for.
    if (alive_ == 0 && TakeNext(&task)) {
      running_++;
      lock.unlock();
      task->Run();
      task.reset();
      lock.lock();
      running_--;
    } else {
      shared_->settled.wait(lock);
    }
  }
  return posted_;
}

void Pool::Start() {
  std::lock_guard<std::mutex> lock(shared_->mutex);
  stopping_ = false;
  Grow();
}

// Threads that could not be had (EAGAIN) are tried for again with each task.
void Pool::Grow() {
  if (stopping_ || alive_ == size_) return;
  // A signal must reach the main thread, where libuv's handlers are: as Node does it for its threads, these take none.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  while (alive_ < size_) {
    pthread_t thread;
    if (pthread_create(&thread, &attributes, Main, this) != 0) break;
    threads_.push_back(thread);
    alive_++;
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Pool::Stop() {
  std::lock_guard<std::mutex> lock(shared_->mutex);
  stopping_ = true;
  shared_->wake.notify_all();
}

bool Pool::Join(int milliseconds) {
  std::unique_lock<std::mutex> lock(shared_->mutex);
  auto ended = [this] { return alive_ == 0; };
  if (!shared_->settled.wait_for(lock, std::chrono::milliseconds(milliseconds), ended)) return false;
  std::vector<pthread_t> threads;
  threads.swap(threads_);
  lock.unlock();
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  return true;
}

void Pool::AfterForkInChild() {
  // Destroying a condition variable waits for its waiters, and these would never leave.
  static_cast<void>(shared_.release());
  shared_.reset(new Shared);
}

void* Pool::Main(void* pool) {
  pthread_setname_np(pthread_self(), "mapache-v8");
  static_cast<Pool*>(pool)->Work();
  return nullptr;
}

void Pool::Work() {
  std::unique_lock<std::mutex> lock(shared_->mutex);
  while (!stopping_) {
    TakeDue(Now());
    std::unique_ptr<v8::Task> task;
    if (TakeNext(&task)) {
      running_++;
      lock.unlock();
      task->Run();
      // Its destructor may be long, and belongs to the task.
      task.reset();
      lock.lock();
      running_--;
      if (running_ == 0 && Empty()) shared_->settled.notify_all();
    } else if (delayed_.empty()) {
      shared_->wake.wait(lock);
    } else {
      auto earlier = [](const Delayed& a, const Delayed& b) { return a.due < b.due; };
      double due = std::min_element(delayed_.begin(), delayed_.end(), earlier)->due;
      shared_->wake.wait_until(lock, PointAt(due));
    }
  }
  alive_--;
  shared_->settled.notify_all();
}

void Pool::TakeDue(double now) {
  for (size_t at = 0; at < delayed_.size();) {
    if (delayed_[at].due > now) {
      at++;
      continue;
    }
    queues_[delayed_[at].priority].push_back(std::move(delayed_[at].task));
    delayed_.erase(delayed_.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

bool Pool::TakeNext(std::unique_ptr<v8::Task>* task) {
  for (auto& queue : queues_) {
    if (queue.empty()) continue;
    *task = std::move(queue.front());
    queue.pop_front();
    return true;
  }
  return false;
}

bool Pool::Empty() const {
  return std::all_of(std::begin(queues_), std::end(queues_), [](const auto& queue) { return queue.empty(); });
}

}  // namespace mapache
