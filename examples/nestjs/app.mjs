import 'reflect-metadata'
import { worker } from '@mapache/core/worker'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'

class HelloController {
  hello() {
    return `hello from worker ${worker.id}, generation ${worker.generation}\n`
  }
}

class AppModule {}

// What `@Controller()`, `@Get()` and `@Module()` do in TypeScript: plain JavaScript has no decorators.
Controller()(HelloController)
Get()(HelloController.prototype, 'hello', Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello'))
Module({ controllers: [HelloController] })(AppModule)

export function createApp() {
  return NestFactory.create(AppModule, { logger: ['error', 'warn'] })
}
