#ifndef MAPACHE_ARGUMENTS_H_
#define MAPACHE_ARGUMENTS_H_

#include <node.h>

#include <string>
#include <vector>

namespace mapache {

using Arguments = v8::FunctionCallbackInfo<v8::Value>;

// What the functions of this addon take and give. The JavaScript side has checked the types.
int IntAt(const Arguments& args, int at);
std::string StringAt(const Arguments& args, int at);
std::vector<int> IntsAt(const Arguments& args, int at);
std::vector<std::string> StringsAt(const Arguments& args, int at);

v8::Local<v8::String> ToString(v8::Isolate* isolate, const char* text);
v8::Local<v8::Array> ToArray(v8::Isolate* isolate, const std::vector<int>& values);

// Makes `name` of `target` a function.
void SetFunction(v8::Local<v8::Object> target, const char* name, v8::FunctionCallback function);

// Throws an Error like those of Node: code "EAGAIN", errno -11, syscall "fork".
void ThrowErrno(v8::Isolate* isolate, int error, const char* call);

}  // namespace mapache

#endif  // MAPACHE_ARGUMENTS_H_
