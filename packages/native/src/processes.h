#ifndef MAPACHE_PROCESSES_H_
#define MAPACHE_PROCESSES_H_

#include <node.h>

namespace mapache {

// exit, pid, alarm, becomeSubreaper, reap, exec
void InstallProcesses(v8::Local<v8::Object> exports);

}  // namespace mapache

#endif  // MAPACHE_PROCESSES_H_
