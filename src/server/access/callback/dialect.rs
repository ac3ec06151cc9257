//! Requests and responses in each dialect.

use crate::server::access::callback::exchange::{ReceiverAnswer, Request, Verdict};
use crate::server::access::callback::rules::Dialect;
use crate::server::access::callback::visit::{Call, Visit};
use crate::server::access::callback::{mediamtx, nginx, srs};

/// Returns the request for a call.
pub(super) fn request(dialect: Dialect, visit: &Visit, call: &Call) -> Request {
    let (content_type, body) = match dialect {
        Dialect::Nginx => ("application/x-www-form-urlencoded", nginx::form(visit, call)),
        Dialect::Srs => ("application/json", srs::json(visit, call)),
        Dialect::MediaMtx => ("application/json", mediamtx::json(visit, call)),
    };
    Request { content_type, body }
}

/// Returns the decision in a response.
pub(super) fn verdict(dialect: Dialect, answer: &ReceiverAnswer) -> Verdict {
    match dialect {
        Dialect::Nginx => nginx::verdict(answer),
        Dialect::Srs => srs::verdict(answer),
        Dialect::MediaMtx => mediamtx::verdict(answer),
    }
}
