//! Floor 4: the built-in server.

pub mod access;
mod chat;
pub mod event;
pub mod fault;
pub mod hls;
mod http;
pub mod recordings;
mod registry;
pub mod relay;
pub mod renditions;
mod rtmp;
mod service;
mod stream;
mod whep;

pub use crate::server::chat::moderation::{ChatRules, MAX_SLOW_MODE_INTERVAL, MutedPerson};
pub use crate::server::event::{
    AudioFigures, CallbackAnswer, CallbackResult, Ended, Event, Peer, Protocol, PublisherFigures,
    Recording, RecordingState, Refusal, RenditionChange, RenditionState, StreamFigures,
    TriggeredFault, VideoFigures,
};
pub use crate::server::fault::Fault;
pub use crate::server::service::config::{
    Config, Limits, Listen, Login, MediaRules, OwnStream, Secure,
};
pub use crate::server::whep::production::keyframe_request::KeyframeRequest;
pub use crate::server::whep::production::program_audio::{ProgramAudio, ProgramAudioNeed};

pub use service::config;
pub use service::http_successor::HttpSuccessor;
pub use service::ice_server::{IceLogin, IceServer};
pub use service::operator_chat::OperatorChat;
pub use service::{Addresses, Error, Server};
