/** The module's name: in the log, and in its messages. */
export const MODULE = 'shell'
