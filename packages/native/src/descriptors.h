#ifndef MAPACHE_DESCRIPTORS_H_
#define MAPACHE_DESCRIPTORS_H_

#include <node.h>

namespace mapache {

// socketPair, sendDescriptors, receiveDescriptors, closeDescriptor, setCloseOnExec
void InstallDescriptors(v8::Local<v8::Object> exports);

}  // namespace mapache

#endif  // MAPACHE_DESCRIPTORS_H_
