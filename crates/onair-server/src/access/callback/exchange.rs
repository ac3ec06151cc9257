//! A callback request and its response.

/// The body of a request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub content_type: &'static str,
    pub body: String,
}

/// The response of a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct ReceiverAnswer {
    pub status: u16,
    pub location: Option<String>,
    pub body: Vec<u8>,
}

/// The decision in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    /// Accepts the client under this name of the application (for connect) or of the stream.
    Rename(String),
    Refuse,
}

/// Sample values for the tests of the dialects.
#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::server::access::callback::visit::{ClientDetails, Visit};
    use crate::server::event::Protocol;

    pub fn visit() -> Visit {
        Visit {
            id: 7,
            address: [192, 0, 2, 1].into(),
            protocol: Protocol::Rtmp,
            app: "live".to_owned(),
            stream: "my show&x".to_owned(),
            query: "token=a.b&x=1".to_owned(),
            secret: Some("a.b".into()),
            login: None,
            client: ClientDetails {
                client_software: "FMLE/3.0 (compatible)".to_owned(),
                swf_url: String::new(),
                tc_url: "rtmp://host:1935/live".to_owned(),
                page_url: String::new(),
            },
        }
    }

    pub fn answer(status: u16, body: &str) -> ReceiverAnswer {
        ReceiverAnswer { status, location: None, body: body.as_bytes().to_vec() }
    }
}
