import { binding } from './binding.js'
import { descriptor } from './check.js'

/**
 * Makes two connected sockets, to pass descriptors from one process to another (AF_UNIX, SOCK_SEQPACKET: messages keep
 * their bounds). Neither is inherited by a program that is started; both are by a fork.
 *
 * @returns the descriptors of both
 * @throws an error with the code of the system, for example EMFILE
 */
export function socketPair(): [number, number] {
  return binding().socketPair()
}

/**
 * Sends descriptors to the process at the other end, in one message. They stay open here.
 *
 * @param socket one of a `socketPair`
 * @param descriptors at most 253; with none the message is empty, and can serve as a signal
 * @throws an error with the code of the system. EAGAIN: the other end has much to receive; nothing was sent. EPIPE: it is closed
 */
export function sendDescriptors(socket: number, descriptors: readonly number[]): void {
  descriptors.forEach(descriptor)
  binding().sendDescriptors(descriptor(socket), descriptors)
}

/**
 * Receives the descriptors of one message. Never waits. A program that is started does not inherit them.
 *
 * @param socket one of a `socketPair`
 * @throws an error with the code of the system. EAGAIN: there is no message. EPIPE: there will be none any more, as the
 *   other end is closed. EMFILE: this process may open no more; the message and its descriptors are lost
 */
export function receiveDescriptors(socket: number): number[] {
  return binding().receiveDescriptors(descriptor(socket))
}

/**
 * Closes a descriptor that no object of JavaScript owns.
 *
 * @throws an error with the code EBADF if it is not open
 */
export function closeDescriptor(fd: number): void {
  binding().closeDescriptor(descriptor(fd))
}

/**
 * Sets whether a program that this process starts inherits the descriptor.
 *
 * @param on true: it does not
 * @throws an error with the code EBADF if it is not open
 */
export function setCloseOnExec(fd: number, on: boolean): void {
  binding().setCloseOnExec(descriptor(fd), on)
}
