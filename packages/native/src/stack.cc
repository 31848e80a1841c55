#include "stack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>

namespace mapache {

namespace {

constexpr int kMostFrames = 100;
// Between the parts of a frame: neither names nor paths have it.
constexpr char kSeparator = '\x1f';

std::atomic<int> waker{-1};
// Never freed: an interrupt that was asked for may come when nobody waits for it any more.
std::string* target = nullptr;
// Who took the signal before: libuv, for the listeners of JavaScript.
void (*before)(int) = SIG_DFL;

void Wake(int number) {
  int saved = errno;
  int fd = waker;
  if (fd >= 0) eventfd_write(fd, 1);
  errno = saved;
  if (before != SIG_DFL && before != SIG_IGN) before(number);
}

std::string Text(v8::Isolate* isolate, v8::Local<v8::String> from) {
  if (from.IsEmpty()) return "";
  v8::String::Utf8Value text(isolate, from);
  return *text == nullptr ? "" : *text;
}

void Write(v8::Isolate* isolate, void*) {
  if (target == nullptr) return;
  v8::HandleScope scope(isolate);
  v8::Local<v8::StackTrace> stack = v8::StackTrace::CurrentStackTrace(isolate, kMostFrames, v8::StackTrace::kDetailed);
  std::string text;
  for (int at = 0; at < stack->GetFrameCount(); at++) {
    v8::Local<v8::StackFrame> frame = stack->GetFrame(isolate, static_cast<uint32_t>(at));
    text += Text(isolate, frame->GetFunctionName()) + kSeparator + Text(isolate, frame->GetScriptNameOrSourceURL());
    text += kSeparator + std::to_string(frame->GetLineNumber()) + kSeparator + std::to_string(frame->GetColumn()) + "\n";
  }
  // Whoever looks for it is to find all of it.
  std::string unfinished = *target + ".new";
  int fd = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  bool whole = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  if (whole) rename(unfinished.c_str(), target->c_str());
}

}  // namespace

void BeginStack(const std::string& file, int asked) {
  delete target;
  target = new std::string(file);
  waker = asked;
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = Wake;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  struct sigaction old;
  sigaction(SIGUSR1, nullptr, &old);
  if (old.sa_handler == Wake) return;
  before = (old.sa_flags & SA_SIGINFO) != 0 ? SIG_DFL : old.sa_handler;
  sigaction(SIGUSR1, &action, nullptr);
}

void EndStack() {
  waker = -1;
}

void RequestStack(v8::Isolate* isolate) {
  isolate->RequestInterrupt(Write, nullptr);
}

}  // namespace mapache
