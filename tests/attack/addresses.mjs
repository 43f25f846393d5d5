// On Linux, every address of 127.0.0.0/8 belongs to this machine. So one machine can play several clients.
export const FLOODER = '127.0.0.2'
export const CLIENT = '127.0.0.3'
