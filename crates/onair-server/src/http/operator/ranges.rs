//! The part of a file that a request asks for (RFC 9110 §14). This module is pure.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The content of the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum RangeAnswer {
    /// The whole file, because the request has no range, or a range that may be ignored.
    Whole,
    /// This part of the file.
    Part(std::ops::Range<u64>),
    /// The file does not contain the requested bytes.
    Unsatisfiable,
}

/// Returns the response to a request with these fields, for a file with this entity tag and size. A
/// part of another version of the file (`If-Range`) would not fit, so the response is the whole
/// file.
pub(in crate::http) fn of_request(headers: &HeaderMap, tag: &str, size: u64) -> RangeAnswer {
    let text = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let is_same = text(header::IF_RANGE).is_none_or(|it| it == tag);
    answer(text(header::RANGE).filter(|_| is_same), size)
}

/// Returns the response for [`RangeAnswer::Unsatisfiable`].
pub(in crate::http) fn unsatisfiable(size: u64) -> Response {
    let head = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
    (StatusCode::RANGE_NOT_SATISFIABLE, head).into_response()
}

/// Returns the response to a `Range` field, for a file of this size. A field with several ranges is
/// ignored.
fn answer(range: Option<&str>, size: u64) -> RangeAnswer {
    let Some(set) = range.and_then(|range| range.trim().strip_prefix("bytes=")) else {
        return RangeAnswer::Whole;
    };
    let Some((first, last)) = set.trim().split_once('-') else { return RangeAnswer::Whole };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number that is too large is beyond every file.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let part = match (first, last) {
        ("", last) => match number(last) {
            Some(length) => size.saturating_sub(length)..size,
            None => return RangeAnswer::Whole,
        },
        (first, "") => match number(first) {
            Some(first) => first..size,
            None => return RangeAnswer::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..size.min(last.saturating_add(1)),
            _ => return RangeAnswer::Whole,
        },
    };
    if part.is_empty() { RangeAnswer::Unsatisfiable } else { RangeAnswer::Part(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_whatever_they_contain() {
        let whole = RangeAnswer::Whole;
        for (range, expected) in [
            ("bytes=0-0", RangeAnswer::Part(0..1)),
            ("bytes=10-", RangeAnswer::Part(10..100)),
            ("bytes=-10", RangeAnswer::Part(90..100)),
            ("bytes=-1000", RangeAnswer::Part(0..100)),
            ("bytes=90-99999999999999999999999", RangeAnswer::Part(90..100)),
            ("bytes=100-", RangeAnswer::Unsatisfiable),
            ("bytes=99999999999999999999999-", RangeAnswer::Unsatisfiable),
            ("bytes=-0", RangeAnswer::Unsatisfiable),
            ("bytes=5-4", whole.clone()),
            ("bytes=0-1,5-6", whole.clone()),
            ("bytes=-", whole.clone()),
            ("bytes=+1-2", whole.clone()),
            ("bytes=a-b", whole.clone()),
            ("lines=1-2", whole.clone()),
            ("", whole.clone()),
        ] {
            assert_eq!(answer(Some(range), 100), expected, "{range}");
        }
        assert_eq!(answer(None, 100), whole);
        assert_eq!(answer(Some("bytes=0-"), 0), RangeAnswer::Unsatisfiable);
    }
}
