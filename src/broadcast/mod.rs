//! Floor 4: what goes out. One [`Hub`] takes the encoded packets of both tracks, puts them in
//! order and hands them to any number of outputs: [`Publisher`]s (RTMP(S), on the network runtime)
//! and [`Recorder`]s (FLV, a thread each). One output's trouble never touches another, nor the
//! encoders.

pub mod adapt;
mod backlog;
pub mod delay;
pub mod film;
mod gop;
mod head;
pub mod hub;
mod interleaver;
pub mod publisher;
pub mod recorder;
pub mod subscription;
mod tag;

pub use adapt::Adapter;
pub use backlog::Limits;
pub use delay::Delay;
pub use film::Film;
pub use head::Head;
pub use hub::Hub;
pub use publisher::{Event, Flow, Publisher, Report, State, Target};
pub use recorder::Recorder;
pub use subscription::Subscription;
pub use tag::Tag;
