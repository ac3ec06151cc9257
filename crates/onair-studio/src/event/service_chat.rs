//! The chats of streaming services.

use std::sync::Arc;

use crate::player::chat::ChatState;
use crate::wire::chat::service::{ServiceAddress, ServicePost};

/// A message with its chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLine {
    /// A number that increases over all chats.
    pub number: u64,
    pub address: Arc<ServiceAddress>,
    pub post: ServicePost,
}

/// Something new in a chat.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceChatNews {
    Line(ServiceLine),
    State(Arc<ServiceAddress>, ChatState),
}
