// V8 hands its background work to the node::MultiIsolatePlatform that Node made at its start; nothing public replaces it.
// So the one object gets a copy of its virtual table in which the functions that take work are ours. All else (tasks for
// the main thread, jobs, clocks, tracing) stays Node's. Jobs are Node's too, but come out as tasks of ours.

#include "platform.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>

namespace mapache {

namespace {

Pool* pool = nullptr;

// The place of a virtual function in its table, as the Itanium C++ ABI writes a pointer to a member function.
template <typename Member>
size_t SlotOf(Member member) {
  struct {
    intptr_t function;
    intptr_t adjustment;
  } parts;
  static_assert(sizeof(parts) == sizeof(member), "pointers to member functions are two words");
  memcpy(&parts, &member, sizeof(parts));
#if defined(__aarch64__) || defined(__arm__)
  // ARM marks a virtual one in the adjustment.
  return static_cast<size_t>(parts.function) / sizeof(void*);
#else
  return static_cast<size_t>(parts.function - 1) / sizeof(void*);
#endif
}

// Takes the pointers, some of which are protected. Never made.
struct Slots : node::MultiIsolatePlatform {
  static size_t DrainTasks() { return SlotOf(&MultiIsolatePlatform::DrainTasks); }
  // The last function in the table that the headers know.
  static size_t Last() { return SlotOf(&MultiIsolatePlatform::AddIsolateFinishedCallback); }
#if NODE_MAJOR_VERSION >= 22
  static size_t Post() { return SlotOf(&Slots::PostTaskOnWorkerThreadImpl); }
  static size_t PostDelayed() { return SlotOf(&Slots::PostDelayedTaskOnWorkerThreadImpl); }
#else
  static size_t Post() { return SlotOf(&MultiIsolatePlatform::CallOnWorkerThread); }
  static size_t PostBlocking() { return SlotOf(&MultiIsolatePlatform::CallBlockingTaskOnWorkerThread); }
  static size_t PostLow() { return SlotOf(&MultiIsolatePlatform::CallLowPriorityTaskOnWorkerThread); }
  static size_t PostDelayed() { return SlotOf(&MultiIsolatePlatform::CallDelayedOnWorkerThread); }
#endif
};

// A member function's `this` is a first argument like any other, on x86-64 and on ARM.
#if NODE_MAJOR_VERSION >= 22
Pool::Priority PriorityOf(v8::TaskPriority priority) {
  if (priority == v8::TaskPriority::kUserBlocking) return Pool::kBlocking;
  return priority == v8::TaskPriority::kBestEffort ? Pool::kBestEffort : Pool::kVisible;
}

void Post(v8::Platform*, v8::TaskPriority priority, std::unique_ptr<v8::Task> task, const v8::SourceLocation&) {
  pool->Post(PriorityOf(priority), std::move(task));
}

void PostDelayed(v8::Platform*, v8::TaskPriority priority, std::unique_ptr<v8::Task> task, double seconds,
                 const v8::SourceLocation&) {
  pool->PostDelayed(PriorityOf(priority), std::move(task), seconds);
}
#else
void Post(v8::Platform*, std::unique_ptr<v8::Task> task) {
  pool->Post(Pool::kVisible, std::move(task));
}

void PostBlocking(v8::Platform*, std::unique_ptr<v8::Task> task) {
  pool->Post(Pool::kBlocking, std::move(task));
}

void PostLow(v8::Platform*, std::unique_ptr<v8::Task> task) {
  pool->Post(Pool::kBestEffort, std::move(task));
}

void PostDelayed(v8::Platform*, std::unique_ptr<v8::Task> task, double seconds) {
  pool->PostDelayed(Pool::kVisible, std::move(task), seconds);
}
#endif

// Node counts the thread that keeps the time of delayed tasks, which runs none.
int CountThreads(node::MultiIsolatePlatform* platform) {
  int count = platform->NumberOfWorkerThreads() - 1;
  return count > 0 ? count : 1;
}

// As many tasks as there are threads, each of which waits for the others: when all have begun, nothing else is under way.
// They come last, as they are of the lowest priority and the last that the old table takes.
struct Roll {
  std::mutex mutex;
  std::condition_variable changed;
  int missing = 0;
};

struct Answer : v8::Task {
  explicit Answer(Roll* roll) : roll(roll) {}
  void Run() override {
    std::unique_lock<std::mutex> lock(roll->mutex);
    roll->missing--;
    roll->changed.notify_all();
    roll->changed.wait(lock, [this] { return roll->missing == 0; });
  }
  Roll* const roll;
};

Roll* roll = nullptr;

// `functions` are the original ones.
void CallTheRoll(node::MultiIsolatePlatform* platform, void** functions) {
  // Never freed: nobody knows when the last one has left it.
  roll = new Roll;
  roll->missing = CountThreads(platform);
  for (int count = roll->missing; count > 0; count--) {
    auto task = std::make_unique<Answer>(roll);
#if NODE_MAJOR_VERSION >= 22
    using Function = void (*)(v8::Platform*, v8::TaskPriority, std::unique_ptr<v8::Task>, const v8::SourceLocation&);
    auto post = reinterpret_cast<Function>(functions[Slots::Post()]);
    post(platform, v8::TaskPriority::kBestEffort, std::move(task), v8::SourceLocation());
#else
    using Function = void (*)(v8::Platform*, std::unique_ptr<v8::Task>);
    reinterpret_cast<Function>(functions[Slots::Post()])(platform, std::move(task));
#endif
  }
}

// Node calls it before it believes that a process has nothing left to do. An asynchronous WebAssembly compilation is
// known to nobody but these threads, and its result is a task for the main thread; that may be one step of several, and
// the next is for these threads again. The original is not called: it also waits for the queue of Node's own threads, in
// which nothing comes any more, and whose state a forked process cannot trust.
void DrainTasks(node::MultiIsolatePlatform* platform, v8::Isolate* isolate) {
  size_t posted;
  bool flushed;
  do {
    posted = pool->Drain();
    flushed = platform->FlushForegroundTasks(isolate);
  } while (flushed || pool->Drain() != posted);
}

}  // namespace

Pool* InstallPool(node::MultiIsolatePlatform* platform) {
  if (pool != nullptr) return pool;
  pool = new Pool(CountThreads(platform));
#ifndef MAPACHE_WITHOUT_POOL
  // In front of the functions lie the offset to the whole object and the type; after those that the headers know may be
  // some of Node's own class. What is copied beyond the end is never called.
  constexpr size_t kBefore = 2;
  constexpr size_t kBeyond = 16;
  size_t count = kBefore + Slots::Last() + 1 + kBeyond;
  void*** table_of_platform = reinterpret_cast<void***>(platform);
  void** table = new void*[count];
  memcpy(table, *table_of_platform - kBefore, count * sizeof(void*));
  void** functions = table + kBefore;
  functions[Slots::DrainTasks()] = reinterpret_cast<void*>(DrainTasks);
  functions[Slots::Post()] = reinterpret_cast<void*>(Post);
  functions[Slots::PostDelayed()] = reinterpret_cast<void*>(PostDelayed);
#if NODE_MAJOR_VERSION < 22
  functions[Slots::PostBlocking()] = reinterpret_cast<void*>(PostBlocking);
  functions[Slots::PostLow()] = reinterpret_cast<void*>(PostLow);
#endif
  pool->Start();
  // Another thread may call at this moment: it finds the old table or the new one, both whole.
  void** originals = *table_of_platform;
  __atomic_store_n(table_of_platform, functions, __ATOMIC_RELEASE);
  CallTheRoll(platform, originals);
#endif
  return pool;
}

bool OriginalsAreIdle(int milliseconds) {
  if (roll == nullptr) return true;
  std::unique_lock<std::mutex> lock(roll->mutex);
  return roll->changed.wait_for(lock, std::chrono::milliseconds(milliseconds), [] { return roll->missing == 0; });
}

}  // namespace mapache
