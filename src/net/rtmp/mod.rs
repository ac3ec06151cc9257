//! RTMP over a socket: drives the sans-IO client session of `wire`.
