#ifndef MAPACHE_WATCHDOG_H_
#define MAPACHE_WATCHDOG_H_

#include <node.h>

namespace mapache {

// startWatchdog, stopWatchdog
void InstallWatchdog(v8::Local<v8::Object> exports);

// Whether its thread runs: a fork would not take it along.
bool WatchdogRuns();

}  // namespace mapache

#endif  // MAPACHE_WATCHDOG_H_
