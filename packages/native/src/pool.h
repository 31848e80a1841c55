#ifndef MAPACHE_POOL_H_
#define MAPACHE_POOL_H_

#include <pthread.h>
#include <v8-platform.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace mapache {

// Threads that run V8's background tasks (marking, sweeping, optimising, WebAssembly) and can be away during a fork(2).
//
// Node's own threads wait on a condition variable when they have nothing to do. glibc counts the waiters inside the
// variable; a fork copies the count and not the threads, and a later signal in the child waits for ever for a waiter
// that does not exist. So here all threads end before a fork and new ones start after it, on both sides. The queue stays:
// what was to be done is done by the parent for itself and by the child for itself.
class Pool {
 public:
  enum Priority { kBlocking, kVisible, kBestEffort, kPriorities };

  explicit Pool(int size) : size_(size) {}

  void Post(Priority priority, std::unique_ptr<v8::Task> task);
  void PostDelayed(Priority priority, std::unique_ptr<v8::Task> task, double seconds);

  // Returns once no task waits or runs. Delayed ones do not count until they are due, as with Node's own threads.
  // What it returns is another number whenever tasks came since.
  size_t Drain();

  void Start();
  // Tells the threads to end when they have finished the task at hand.
  void Stop();
  // Waits for the end of all threads. Returns false if one still runs after `milliseconds`.
  bool Join(int milliseconds);

  // Around the fork itself, with all threads joined: no other thread is inside a locked section then.
  void BeforeFork() { shared_->mutex.lock(); }
  void AfterForkInParent() { shared_->mutex.unlock(); }
  // A thread that is not ours may have waited in Drain() and is not in the child: nothing it left can be used again.
  void AfterForkInChild();

 private:
  struct Delayed {
    double due;
    Priority priority;
    std::unique_ptr<v8::Task> task;
  };

  // Apart, so that the child can leave it behind and take another.
  struct Shared {
    std::mutex mutex;
    std::condition_variable wake;     // tasks came, or the threads shall end
    std::condition_variable settled;  // a thread ended, or there is nothing left to do
  };

  static void* Main(void* pool);
  void Work();
  void TakeDue(double now);
  bool TakeNext(std::unique_ptr<v8::Task>* task);
  bool Empty() const;
  void Grow();

  const int size_;
  std::unique_ptr<Shared> shared_{new Shared};
  std::deque<std::unique_ptr<v8::Task>> queues_[kPriorities];
  std::vector<Delayed> delayed_;
  std::vector<pthread_t> threads_;
  int alive_ = 0;
  int running_ = 0;
  size_t posted_ = 0;
  bool stopping_ = true;
};

}  // namespace mapache

#endif  // MAPACHE_POOL_H_
