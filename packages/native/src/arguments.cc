#include "arguments.h"

namespace mapache {

using v8::Array;
using v8::Context;
using v8::Integer;
using v8::Isolate;
using v8::Local;
using v8::String;
using v8::Value;

int IntAt(const Arguments& args, int at) {
  return args[at]->Int32Value(args.GetIsolate()->GetCurrentContext()).FromMaybe(-1);
}

std::string StringAt(const Arguments& args, int at) {
  String::Utf8Value text(args.GetIsolate(), args[at]);
  return *text == nullptr ? std::string() : std::string(*text, static_cast<size_t>(text.length()));
}

template <typename Take>
static void ForEach(const Arguments& args, int at, Take take) {
  Local<Context> context = args.GetIsolate()->GetCurrentContext();
  Local<Array> array = args[at].As<Array>();
  for (uint32_t i = 0; i < array->Length(); i++) {
    Local<Value> value;
    if (array->Get(context, i).ToLocal(&value)) take(value, context);
  }
}

std::vector<int> IntsAt(const Arguments& args, int at) {
  std::vector<int> values;
  ForEach(args, at, [&](Local<Value> value, Local<Context> context) {
    values.push_back(value->Int32Value(context).FromMaybe(-1));
  });
  return values;
}

std::vector<std::string> StringsAt(const Arguments& args, int at) {
  std::vector<std::string> values;
  ForEach(args, at, [&](Local<Value> value, Local<Context>) {
    String::Utf8Value text(args.GetIsolate(), value);
    values.emplace_back(*text == nullptr ? "" : *text);
  });
  return values;
}

Local<String> ToString(Isolate* isolate, const char* text) {
  return String::NewFromUtf8(isolate, text).ToLocalChecked();
}

Local<Array> ToArray(Isolate* isolate, const std::vector<int>& values) {
  Local<Context> context = isolate->GetCurrentContext();
  Local<Array> array = Array::New(isolate, static_cast<int>(values.size()));
  for (uint32_t i = 0; i < values.size(); i++) array->Set(context, i, Integer::New(isolate, values[i])).Check();
  return array;
}

void SetFunction(Local<v8::Object> target, const char* name, v8::FunctionCallback function) {
  Isolate* isolate = Isolate::GetCurrent();
  Local<Context> context = isolate->GetCurrentContext();
  Local<String> key = ToString(isolate, name);
  Local<v8::Function> value = v8::FunctionTemplate::New(isolate, function)->GetFunction(context).ToLocalChecked();
  value->SetName(key);
  target->Set(context, key, value).Check();
}

void ThrowErrno(Isolate* isolate, int error, const char* call) {
  isolate->ThrowException(node::ErrnoException(isolate, error, call));
}

}  // namespace mapache
