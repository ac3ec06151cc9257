//! Floor 0: basic parts that every room can use, such as time, named bounded queues, the slot for
//! the newest value, buffer pools, named threads and worker pools, back-off, random numbers, secrets,
//! file stamps, files that the user names, and the portal client.

mod backend;
pub mod backoff;
pub mod file_stamp;
pub mod latest;
pub mod pool;
pub mod queue;
pub mod sanitize;
pub mod secret;
pub mod simd;
#[cfg(any(test, feature = "test-support"))]
#[allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    missing_debug_implementations,
    reason = "for tests, which fail by panicking"
)]
pub mod stall_guard;
pub mod time;
pub mod worker;

#[cfg(target_os = "linux")]
pub use crate::platform::Mapping;
pub use crate::platform::{CodePages, SharedMemory, child_process, launcher, sandbox};
#[cfg(target_os = "linux")]
pub use backend::portal;
pub use backend::{WorkerPool, hold_awake};
pub use backoff::{Backoff, SplitMix64};
pub use file_stamp::FileStamp;
pub use latest::Latest;
pub use pool::{Fresh, Pool, Pooled};
pub use secret::Secret;
pub use time::{Clock, Timestamp};
pub use worker::{Stop, Worker};

/// Implements `Debug` for a type of which only some fields can be printed. The output contains the
/// name of the type and these fields.
#[macro_export]
macro_rules! partial_debug {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut shown = f.debug_struct(stringify!($name));
                $(shown.field(stringify!($field), &self.$field);)*
                shown.finish_non_exhaustive()
            }
        }
    )*};
}

/// Defines an enum whose variants have names. `ALL` contains the variants in order, and the named
/// function returns the name of a variant.
#[macro_export]
macro_rules! named {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal,)* }
        $(#[$about_function:meta])*
        fn $function:ident;
    ) => {
        $(#[$attribute])*
        pub enum $name { $($(#[$about])* $variant,)* }

        impl $name {
            /// All variants in order.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$variant),*];

            $(#[$about_function])*
            pub const fn $function(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

pub use crate::named;
pub use crate::partial_debug;
