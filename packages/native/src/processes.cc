#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"

namespace mapache {

namespace {

void Exit(const Arguments& args) {
  _exit(IntAt(args, 0));
}

void Pid(const Arguments& args) {
  args.GetReturnValue().Set(getpid());
}

// The system's own end of a process that hangs; 0 takes it back.
void Alarm(const Arguments& args) {
  alarm(static_cast<unsigned>(IntAt(args, 0)));
}

void BecomeSubreaper(const Arguments& args) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) ThrowErrno(args.GetIsolate(), errno, "prctl");
}

// Returns nothing while the process runs, else [code, signal], one of which is -1.
void Reap(const Arguments& args) {
  int status = 0;
  pid_t pid;
  do pid = waitpid(IntAt(args, 0), &status, WNOHANG);
  while (pid < 0 && errno == EINTR);
  if (pid < 0) return ThrowErrno(args.GetIsolate(), errno, "waitpid");
  if (pid == 0) return;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
  args.GetReturnValue().Set(ToArray(args.GetIsolate(), {code, signal}));
}

// Each open descriptor, with its flags.
std::vector<std::pair<int, int>> OpenDescriptors() {
  std::vector<std::pair<int, int>> open;
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return open;
  while (const dirent* entry = readdir(folder)) {
    int descriptor = atoi(entry->d_name);
    // "." and ".." are 0 to atoi.
    if (entry->d_name[0] == '.' || descriptor == dirfd(folder)) continue;
    int flags = fcntl(descriptor, F_GETFD);
    if (flags >= 0) open.emplace_back(descriptor, flags);
  }
  closedir(folder);
  return open;
}

std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& text : *strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// exec(file, argv, ["NAME=value"], keep): returns only by throwing.
void Exec(const Arguments& args) {
  std::string file = StringAt(args, 0);
  std::vector<std::string> arguments = StringsAt(args, 1);
  std::vector<std::string> environment = StringsAt(args, 2);
  std::vector<int> keep = IntsAt(args, 3);
  std::vector<std::pair<int, int>> before = OpenDescriptors();
  for (auto [descriptor, flags] : before) {
    // Node.js marks 0 to 2 too when it starts.
    bool kept = descriptor < 3 || std::find(keep.begin(), keep.end(), descriptor) != keep.end();
    fcntl(descriptor, F_SETFD, kept ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC);
  }
  execve(file.c_str(), Pointers(&arguments).data(), Pointers(&environment).data());
  int error = errno;
  for (auto [descriptor, flags] : before) fcntl(descriptor, F_SETFD, flags);
  ThrowErrno(args.GetIsolate(), error, "execve");
}

}  // namespace

void InstallProcesses(v8::Local<v8::Object> exports) {
  SetFunction(exports, "exit", Exit);
  SetFunction(exports, "pid", Pid);
  SetFunction(exports, "alarm", Alarm);
  SetFunction(exports, "becomeSubreaper", BecomeSubreaper);
  SetFunction(exports, "reap", Reap);
  SetFunction(exports, "exec", Exec);
}

}  // namespace mapache
