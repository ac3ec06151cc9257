//! Floor 4: the built-in server.

use crate as server;
use onair_base::{base, media, text};
use onair_media::{capture, compose, decode, encode, files, problems};
use onair_net::net;
use onair_platform as platform;
use onair_wire as wire;

pub mod access;
pub mod event;
pub mod fault;
pub mod hls;
mod http;
mod outputs;
pub mod recordings;
mod registry;
pub mod relay;
pub mod renditions;
mod rtmp;
mod service;
mod stream;
mod webrtc;

pub use crate::server::access::limits::Limits;
pub use crate::server::event::{
    AudioFigures, CallbackAnswer, CallbackResult, Ended, Event, LinkFigures, Peer, Protocol,
    PublisherFigures, Recording, RecordingState, Refusal, RenditionChange, RenditionState,
    StreamFigures, TriggeredFault, UnusualStream, VideoFigures,
};
pub use crate::server::fault::Fault;
pub use crate::server::registry::chat::moderation::{
    ChatRules, MAX_SLOW_MODE_INTERVAL, MutedPerson,
};
pub use crate::server::registry::config::{Config, Listen, Login, MediaRules, OwnStream};
pub use crate::server::webrtc::whep::production::keyframe_request::KeyframeRequest;
pub use crate::server::webrtc::whep::production::program_audio::{ProgramAudio, ProgramAudioNeed};

pub use crate::server::stream::thumbnails::ThumbnailImage;

pub use registry::access::own_local_name;
pub use registry::config;
pub use registry::guests;
pub use registry::http_successor::HttpSuccessor;
pub use registry::ice_server::{IceLogin, IceServer};
pub use registry::meeting::Meeting;
pub use registry::meeting::meeting_place::{MeetingPlace, MeetingState};
pub use service::operator_chat::OperatorChat;
pub use service::{Addresses, Error, Server};
