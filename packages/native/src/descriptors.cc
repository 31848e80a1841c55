#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "arguments.h"

namespace mapache {

namespace {

// SCM_MAX_FD: what the kernel takes in one message.
constexpr size_t kMost = 253;

union Control {
  cmsghdr header;  // for its alignment
  char bytes[CMSG_SPACE(kMost * sizeof(int))];
};

void SocketPair(const Arguments& args) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return ThrowErrno(args.GetIsolate(), errno, "socketpair");
  }
  args.GetReturnValue().Set(ToArray(args.GetIsolate(), {ends[0], ends[1]}));
}

void SendDescriptors(const Arguments& args) {
  std::vector<int> descriptors = IntsAt(args, 1);
  if (descriptors.size() > kMost) return ThrowErrno(args.GetIsolate(), EINVAL, "sendmsg");
  // A message without a byte would be the same as the end of the file to the receiver.
  char byte = 0;
  iovec data = {&byte, 1};
  Control control;
  memset(&control, 0, sizeof(control));
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    size_t size = descriptors.size() * sizeof(int);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(&control.header), descriptors.data(), size);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(size);
  }
  ssize_t sent;
  do sent = sendmsg(IntAt(args, 0), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) ThrowErrno(args.GetIsolate(), errno, "sendmsg");
}

void ReceiveDescriptors(const Arguments& args) {
  char byte;
  iovec data = {&byte, 1};
  Control control;
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof(control);
  ssize_t got;
  do got = recvmsg(IntAt(args, 0), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return ThrowErrno(args.GetIsolate(), errno, "recvmsg");
  if (got == 0) return ThrowErrno(args.GetIsolate(), EPIPE, "recvmsg");
  std::vector<int> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    descriptors.resize((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(descriptors.data(), CMSG_DATA(part), descriptors.size() * sizeof(int));
  }
  if (message.msg_flags & MSG_CTRUNC) {
    // There is room for as many as a message can carry, so it was this process that may open no more. Some are worse
    // than none: nobody could tell which.
    for (int descriptor : descriptors) close(descriptor);
    return ThrowErrno(args.GetIsolate(), EMFILE, "recvmsg");
  }
  args.GetReturnValue().Set(ToArray(args.GetIsolate(), descriptors));
}

void CloseDescriptor(const Arguments& args) {
  // Not again after EINTR: on Linux the descriptor is gone then, and may be somebody else's already.
  if (close(IntAt(args, 0)) != 0 && errno != EINTR) ThrowErrno(args.GetIsolate(), errno, "close");
}

void SetCloseOnExec(const Arguments& args) {
  int flags = fcntl(IntAt(args, 0), F_GETFD);
  if (flags >= 0) {
    flags = args[1]->IsTrue() ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
    flags = fcntl(IntAt(args, 0), F_SETFD, flags);
  }
  if (flags < 0) ThrowErrno(args.GetIsolate(), errno, "fcntl");
}

}  // namespace

void InstallDescriptors(v8::Local<v8::Object> exports) {
  SetFunction(exports, "socketPair", SocketPair);
  SetFunction(exports, "sendDescriptors", SendDescriptors);
  SetFunction(exports, "receiveDescriptors", ReceiveDescriptors);
  SetFunction(exports, "closeDescriptor", CloseDescriptor);
  SetFunction(exports, "setCloseOnExec", SetCloseOnExec);
}

}  // namespace mapache
