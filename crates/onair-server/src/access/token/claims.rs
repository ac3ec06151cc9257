//! The claims of a token: the stream, the permitted actions, the expiry time and the addresses.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::net::connect::network::Network;
use crate::server::access::action::Action;
use crate::server::access::stream_pattern::matches;
use crate::server::access::token::problem::TokenProblem;

/// Clocks may differ by this many seconds.
const CLOCK_LEEWAY_SECONDS: i64 = 10;
/// Maximum number of entries of a list claim.
const MAX_ENTRIES: usize = 64;

/// The claims that access depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claims {
    /// `app/stream`, or a pattern.
    subject: String,
    actions: Vec<String>,
    /// The expiry time in seconds since 1970.
    expires: i64,
    not_before: Option<i64>,
    addresses: Vec<String>,
    audience: Vec<String>,
    issuer: Option<String>,
}

/// The use of a token.
#[derive(Copy, Clone, Debug)]
pub(crate) struct TokenUse<'a> {
    pub action: Action,
    pub app: &'a str,
    pub stream: &'a str,
    pub address: IpAddr,
    /// The current time in seconds since 1970.
    pub now: i64,
    /// If set, the token must name this audience.
    pub audience: Option<&'a str>,
    pub issuer: Option<&'a str>,
}

impl Claims {
    /// Reads claims. Returns `None` if one of them has the wrong type.
    pub fn of(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let text = |name: &str| match object.get(name) {
            None => Some(None),
            Some(value) => value.as_str().map(|text| Some(text.to_owned())),
        };
        let texts = |name: &str| match object.get(name) {
            None => Some(Vec::new()),
            Some(Value::String(text)) => Some(vec![text.clone()]),
            Some(Value::Array(all)) if all.len() <= MAX_ENTRIES => {
                all.iter().map(|it| it.as_str().map(str::to_owned)).collect()
            }
            Some(_) => None,
        };
        // Times may have fractions (RFC 7519 §2, NumericDate).
        let time = |name: &str| match object.get(name) {
            None => Some(None),
            Some(value) => value.as_f64().filter(|it| it.is_finite()).map(|it| Some(it as i64)),
        };
        let addresses = texts("ip")?;
        // An empty list would allow every address.
        let has_address = !object.contains_key("ip") || !addresses.is_empty();
        has_address.then_some(())?;
        Some(Self {
            subject: text("sub")?.unwrap_or_default(),
            actions: texts("act")?,
            expires: time("exp")?.unwrap_or_default(),
            not_before: time("nbf")?,
            addresses,
            audience: texts("aud")?,
            issuer: text("iss")?,
        })
    }

    /// Checks whether the claims allow a use.
    ///
    /// # Errors
    /// Fails with the problem of the first claim that does not allow it.
    pub fn allow(&self, wanted: &TokenUse<'_>) -> Result<(), TokenProblem> {
        let TokenUse { action, app, stream, address, now, audience, issuer } = *wanted;
        if self.expires == 0 {
            return Err(TokenProblem::NoEnd);
        }
        if now >= self.expires {
            return Err(TokenProblem::Expired);
        }
        if self.not_before.is_some_and(|from| now.saturating_add(CLOCK_LEEWAY_SECONDS) < from) {
            return Err(TokenProblem::NotYet);
        }
        if audience.is_some_and(|wanted| !self.audience.iter().any(|it| it == wanted))
            || issuer.is_some_and(|wanted| self.issuer.as_deref() != Some(wanted))
        {
            return Err(TokenProblem::OtherServer);
        }
        if !matches(&self.subject, &format!("{app}/{stream}")) {
            return Err(TokenProblem::OtherStream);
        }
        if !self.actions.iter().any(|it| it == action.name()) {
            return Err(TokenProblem::OtherAction);
        }
        let is_here = |it: &String| it.parse::<Network>().is_ok_and(|it| it.contains(address));
        if !self.addresses.is_empty() && !self.addresses.iter().any(is_here) {
            return Err(TokenProblem::OtherAddress);
        }
        Ok(())
    }

    /// Returns the end of the token in seconds since 1970.
    pub fn ends(&self) -> u64 {
        u64::try_from(self.expires).unwrap_or_default()
    }

    /// Returns the networks in which the token may be used. Without networks, a token that [`Self::allow`] accepts may
    /// be used everywhere.
    pub fn networks(&self) -> Vec<Network> {
        self.addresses.iter().filter_map(|it| it.parse().ok()).collect()
    }
}

/// The claims of a new token.
#[derive(Clone, Debug)]
pub struct NewClaims {
    /// `app/stream`, or a pattern.
    pub subject: String,
    pub actions: Vec<Action>,
    /// The expiry time in seconds since 1970.
    pub expires: i64,
    pub addresses: Vec<String>,
    pub audience: Option<String>,
    pub issuer: Option<String>,
}

impl NewClaims {
    /// Returns the claims as JSON.
    pub(super) fn to_json(&self) -> Value {
        let actions: Vec<_> = self.actions.iter().map(|action| action.name()).collect();
        let mut claims = json!({ "sub": self.subject, "act": actions, "exp": self.expires });
        if let Some(object) = claims.as_object_mut() {
            if !self.addresses.is_empty() {
                object.insert("ip".to_owned(), json!(self.addresses));
            }
            for (name, value) in [("aud", &self.audience), ("iss", &self.issuer)] {
                if let Some(value) = value {
                    object.insert(name.to_owned(), json!(value));
                }
            }
        }
        claims
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn wanted() -> TokenUse<'static> {
        TokenUse {
            action: Action::Play,
            app: "live",
            stream: "show",
            address: [192, 0, 2, 1].into(),
            now: 1_000,
            audience: None,
            issuer: None,
        }
    }

    #[test]
    fn each_claim_is_checked() {
        let good = json!({"sub": "live/show", "act": "play", "exp": 2_000});
        let of = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().insert(name.to_owned(), value);
            Claims::of(&claims).unwrap().allow(&wanted())
        };
        assert_eq!(of("jti", json!("x")), Ok(()));
        for (name, value, result) in [
            ("exp", json!(1_000), Err(TokenProblem::Expired)),
            ("exp", json!(1_000.5), Err(TokenProblem::Expired)),
            ("exp", json!(0), Err(TokenProblem::NoEnd)),
            ("nbf", json!(1_010), Ok(())),
            ("nbf", json!(1_011), Err(TokenProblem::NotYet)),
            ("sub", json!("live/other"), Err(TokenProblem::OtherStream)),
            ("sub", json!("live/*"), Ok(())),
            ("act", json!(["publish", "play"]), Ok(())),
            ("act", json!("publish"), Err(TokenProblem::OtherAction)),
            ("act", json!([]), Err(TokenProblem::OtherAction)),
            ("ip", json!("192.0.2.1"), Ok(())),
            ("ip", json!(["198.51.100.1", "192.0.2.0/24"]), Ok(())),
            ("ip", json!("198.51.100.1"), Err(TokenProblem::OtherAddress)),
            ("ip", json!("nonsense"), Err(TokenProblem::OtherAddress)),
        ] {
            assert_eq!(of(name, value.clone()), result, "{name} {value}");
        }
        for (name, value) in [
            ("exp", json!("2000")),
            ("sub", json!(7)),
            ("act", json!([7])),
            ("ip", json!([])),
            ("nbf", json!({})),
            ("act", json!(vec!["play"; MAX_ENTRIES + 1])),
        ] {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().insert(name.to_owned(), value.clone());
            assert_eq!(Claims::of(&claims), None, "{name} {value}");
        }
        let without = Claims::of(&json!({"sub": "live/show", "act": "play"})).unwrap();
        assert_eq!(without.allow(&wanted()), Err(TokenProblem::NoEnd));
    }

    #[test]
    fn audience_and_issuer_are_checked_where_they_are_set() {
        let claims =
            json!({"sub": "**", "act": "play", "exp": 2_000, "aud": ["a", "b"], "iss": "i"});
        let claims = Claims::of(&claims).unwrap();
        for (audience, issuer, allowed) in [
            (None, None, true),
            (Some("b"), Some("i"), true),
            (Some("c"), None, false),
            (None, Some("j"), false),
        ] {
            let wanted = TokenUse { audience, issuer, ..wanted() };
            assert_eq!(claims.allow(&wanted).is_ok(), allowed, "{audience:?} {issuer:?}");
        }
    }
}
