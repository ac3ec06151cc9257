//! Floor 4: sends and records the program. One [`Hub`] takes the encoded packets of all tracks,
//! puts them in order, and passes them to any number of outputs. Each [`Output`] is a [`Publisher`]
//! (by one of the protocols of `protocol`, on the network runtime) or a [`Recorder`] (with its own thread). A problem of one
//! output never affects another output or the encoders.

pub mod adaptation;
pub mod delay;
pub mod hub;
mod output;
pub mod passthrough;
pub mod protocol;
pub mod publisher;
pub mod recorder;

pub use adaptation::Adapter;
pub use delay::Delay;
pub use hub::Hub;
pub use hub::backlog::Limits;
pub use hub::sequence_headers::SequenceHeaders;
pub use hub::shared_packet::SharedPacket;
pub use hub::subscription::Subscription;
pub use output::{LinkEstimate, Output, OutputState, Sink};
pub use passthrough::PassthroughFile;
pub use protocol::{AddressError, TargetAddress};
pub use publisher::{Event, Flow, Publisher, Report, State, Target};
pub use recorder::Recorder;
