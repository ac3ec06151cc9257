//! Converts connection errors to problems. A problem contains the cause, preceded by the stage if
//! the cause does not indicate it, and the cure at that stage.

use std::time::Duration;

use crate::net::error::problem::UrlError;
use crate::net::error::{
    Cause, CertificateProblem, ConnectStage, Error, FailedAttempt, NotRtmp, ProxyProblem, Refusal,
    WebProblem,
};
use crate::net::web::url::MAX_URL_BYTES;
use crate::text::Problem;
use crate::text::problem::{problem, problem_error};

impl Error {
    /// Returns the problem with its cure, preceded by the stage if the cause does not indicate it.
    pub fn problem(&self) -> Problem {
        let cause = Problem::from(&self.cause);
        let whole = match self.cause {
            Cause::Closed
            | Cause::Reset
            | Cause::TimedOut { .. }
            | Cause::Protocol(_)
            | Cause::Status { .. }
            | Cause::Io(_) => match self.stage {
                ConnectStage::Dns => problem!("net-at-dns", cause = cause),
                ConnectStage::Tcp => problem!("net-at-tcp", cause = cause),
                ConnectStage::Tls => problem!("net-at-tls", cause = cause),
                ConnectStage::Handshake => problem!("net-at-handshake", cause = cause),
                ConnectStage::Connect => problem!("net-at-connect", cause = cause),
                ConnectStage::Publish => problem!("net-at-publish", cause = cause),
                ConnectStage::Play => problem!("net-at-play", cause = cause),
                ConnectStage::Request => problem!("net-at-request", cause = cause),
                ConnectStage::Ice => problem!("net-at-ice", cause = cause),
                ConnectStage::Dtls => problem!("net-at-dtls", cause = cause),
                ConnectStage::Media => problem!("net-at-media", cause = cause),
            },
            _ => cause,
        };
        match self.cure_of_stage() {
            Some(cure) => whole.with_cure(cure),
            None => whole,
        }
    }

    /// Returns the problem, preceded by the server's address.
    pub fn with_peer(&self) -> Problem {
        problem!("net-with-peer", peer = &self.peer, cause = self.problem())
    }

    /// Returns the cure that depends on the stage, or `None` if there is none, for example because
    /// the cause has its own cure.
    fn cure_of_stage(&self) -> Option<Problem> {
        let hung_up = matches!(self.cause, Cause::Closed | Cause::Reset);
        let late = matches!(self.cause, Cause::TimedOut { .. } | Cause::Unanswered { .. });
        Some(match (&self.cause, self.stage) {
            (Cause::AcceptedThenClosed { .. }, _) => problem!("net-cure-publish"),
            (Cause::ClosedEachTime { .. }, _) => problem!("net-cure-each-time"),
            (Cause::TimedOut { .. } | Cause::Unanswered { .. }, ConnectStage::Dns) => {
                problem!("net-cure-dns")
            }
            (Cause::TimedOut { .. } | Cause::Unanswered { .. }, ConnectStage::Tcp) => {
                problem!("net-cure-tcp")
            }
            (_, ConnectStage::Tls) if hung_up || late => problem!("net-cure-tls"),
            (_, ConnectStage::Handshake) if hung_up || late => problem!("net-cure-handshake"),
            (_, ConnectStage::Connect) if hung_up || late => problem!("net-cure-connect"),
            (_, ConnectStage::Publish) if hung_up => problem!("net-cure-publish"),
            (_, ConnectStage::Publish) if late => problem!("net-cure-publish-silent"),
            (_, ConnectStage::Play) if hung_up || late => problem!("net-cure-play"),
            (Cause::Unanswered { .. }, ConnectStage::Media) => problem!("net-cure-publish-silent"),
            (_, ConnectStage::Ice) if hung_up || late => problem!("net-cure-ice"),
            (_, ConnectStage::Dtls) if hung_up || late => problem!("net-cure-dtls"),
            (Cause::Protocol(_), ConnectStage::Request) => problem!("net-cure-request"),
            (_, ConnectStage::Request) if hung_up || late => problem!("net-cure-request"),
            (Cause::Status { refusal: Refusal::Unauthorized, .. }, ConnectStage::Connect) => {
                problem!("net-cure-login")
            }
            (Cause::Status { refusal: Refusal::Unauthorized, .. }, ConnectStage::Play) => {
                problem!("net-cure-play-key")
            }
            (
                Cause::Status { refusal: Refusal::Closed | Refusal::Failed, .. },
                ConnectStage::Media,
            ) => problem!("net-cure-ended"),
            (Cause::Status { refusal: Refusal::Rejected, .. }, ConnectStage::Media) => {
                problem!("net-cure-replaced")
            }
            (Cause::Closed | Cause::Reset | Cause::TimedOut { .. } | Cause::Io(_), stage) => {
                match stage {
                    ConnectStage::Media => problem!("net-cure-media"),
                    _ => problem!("net-cure-address"),
                }
            }
            _ => return None,
        })
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        error.problem()
    }
}

problem_error!(Error, error => error.with_peer());

impl From<&Cause> for Problem {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::NoSuchHost => problem!("net-no-such-host"),
            Cause::LookupFailed(reason) => problem!("net-lookup-failed", reason = reason),
            Cause::ConnectionRefused => problem!("net-connection-refused"),
            Cause::TimedOut { after } => problem!("net-no-answer", seconds = seconds(*after)),
            Cause::SrtSilent { after } => problem!("net-srt-silent", seconds = seconds(*after)),
            Cause::SrtNoCaller { after } => {
                problem!("net-srt-no-caller", seconds = seconds(*after))
            }
            Cause::HostUnreachable => problem!("net-unreachable"),
            Cause::Forbidden => problem!("net-forbidden"),
            Cause::Unanswered { after } => {
                problem!("net-unanswered", seconds = seconds(*after))
            }
            Cause::AcceptedThenClosed { after } => {
                let is_none = after.as_secs() == 0;
                let seconds = if is_none { "none".to_owned() } else { seconds(*after) };
                problem!("net-accepted-then-closed", seconds = seconds)
            }
            Cause::ClosedEachTime { after, times } => {
                problem!("net-closed-each-time", times = *times, seconds = seconds(*after))
            }
            Cause::Closed => problem!("net-closed"),
            Cause::Reset => problem!("net-cut"),
            Cause::NoProgress { after } => problem!("net-no-progress", seconds = seconds(*after)),
            Cause::Certificate { problem, presented } => certificate(problem, presented.as_ref()),
            Cause::NotTls => problem!("net-not-tls"),
            Cause::Tls(reason) => problem!("net-tls-failed", reason = reason),
            Cause::TrustFile { path, reason } => {
                problem!("net-trust-file", path = path, reason = reason)
            }
            Cause::NotRtmp(seen) => Self::from(seen),
            Cause::Tunnel { status: 0, .. } => problem!("net-tunnel-not-http"),
            Cause::Tunnel { status, reason } => {
                problem!("net-tunnel-refused", reason = format!("{status} {reason}"))
            }
            Cause::Answer { status, reason, cookie } => {
                let answer = format!("{status} {reason}");
                let answer = answer.trim_end();
                match status {
                    403 if *cookie => problem!("net-answer-cookie", answer = answer),
                    401 | 403 => problem!("net-answer-login", answer = answer),
                    404 | 410 => problem!("net-answer-not-found", answer = answer),
                    _ => problem!("net-answer", answer = answer),
                }
            }
            Cause::NoEndpoint { status } => problem!("net-no-endpoint", status = *status),
            Cause::ReorderedFrames => problem!("net-reordered-frames"),
            Cause::Web(problem) => Self::from(problem),
            Cause::Protocol(reason) => problem!("net-protocol", reason = reason),
            Cause::Status { refusal, code, description } => {
                let cause = refused(*refusal);
                // The server's full stop would be a second one.
                let words = description.trim().trim_end_matches(['.', '。']);
                match (words.is_empty(), code.is_empty()) {
                    (true, true) => cause,
                    (true, false) => problem!("net-server-code", cause = cause, code = code),
                    (false, true) => problem!("net-server-text", words = words, cause = cause),
                    (false, false) => {
                        problem!("net-server-says", words = words, code = code, cause = cause)
                    }
                }
            }
            Cause::NetworkChanged => problem!("net-network-changed"),
            Cause::NoNetwork => problem!("net-no-network"),
            Cause::Silent => problem!("net-silent"),
            Cause::StillThere(cause) => problem!("net-still-there", cause = Self::from(&**cause)),
            Cause::Proxy { proxy, problem } => of_proxy(proxy, problem),
            Cause::Codecs(names) => problem!("net-codecs", codecs = names),
            Cause::Bind { from, reason } => problem!("net-bind", from = from, reason = reason),
            Cause::EveryPort(tried) => {
                let silent = tried.iter().all(|tried| tried.stage <= ConnectStage::Tcp);
                let tried: Vec<_> = tried.iter().map(Self::from).collect();
                match silent {
                    true => problem!("net-no-port-answers", tried = tried),
                    false => problem!("net-no-port", tried = tried),
                }
            }
            Cause::Crashed => problem!("internal-error"),
            Cause::Io(reason) => reason.clone(),
        }
    }
}

// `Error` allows a cause inside an `io::Error`; see `Cause::from_io`.
problem_error!(Cause);

impl From<&FailedAttempt> for Problem {
    fn from(tried: &FailedAttempt) -> Self {
        let cause = Self::from(&tried.cause);
        problem!("net-tried", port = tried.port, stage = tried.stage.name(), cause = cause)
    }
}

fn certificate(
    problem: &CertificateProblem,
    pin: Option<&crate::net::tls::certificate_pin::CertificatePin>,
) -> Problem {
    use CertificateProblem as Reason;
    let why = Problem::from(problem);
    match (problem, pin) {
        (Reason::Expired { .. }, _) => problem!("net-certificate-date", problem = why),
        (Reason::NotYetValid { .. }, _) => problem!("net-certificate-early", problem = why),
        (Reason::NoRoots, _) => problem!("net-certificate-no-roots", problem = why),
        (Reason::OldVersion, _) => problem!("net-certificate-old", problem = why),
        (Reason::WrongName { .. }, _) => problem!("net-certificate-name", problem = why),
        (Reason::NotPinned { accepted: true, .. }, _) => {
            problem!("net-certificate-not-accepted-one", problem = why)
        }
        (Reason::NotPinned { .. }, _) => problem!("net-certificate-not-pinned", problem = why),
        (Reason::UnknownIssuer | Reason::OwnAuthority | Reason::Other(_), Some(pin)) => {
            problem!("net-certificate-to-pin", problem = why, pin = pin.to_string())
        }
        _ => problem!("net-certificate", problem = why),
    }
}

impl From<&CertificateProblem> for Problem {
    fn from(problem: &CertificateProblem) -> Self {
        use CertificateProblem as Reason;
        match problem {
            Reason::Expired { not_after: Some(at) } => {
                problem!("net-certificate-expired-on", date = date(*at))
            }
            Reason::Expired { not_after: None } => problem!("net-certificate-expired"),
            Reason::NotYetValid { not_before: Some(at) } => {
                problem!("net-certificate-valid-from", date = date(*at))
            }
            Reason::NotYetValid { not_before: None } => problem!("net-certificate-not-yet"),
            Reason::WrongName { host, names } if names.is_empty() => {
                problem!("net-certificate-no-names", host = host)
            }
            Reason::WrongName { host, names } => {
                let names = names.iter().take(8).collect::<Vec<_>>();
                problem!("net-certificate-wrong-name", names = &names, host = host)
            }
            Reason::UnknownIssuer => problem!("net-certificate-issuer"),
            Reason::NoRoots => problem!("net-certificate-no-authorities"),
            Reason::OldVersion => problem!("net-certificate-version"),
            Reason::Revoked => problem!("net-certificate-revoked"),
            Reason::BadSignature => problem!("net-certificate-signature"),
            Reason::WrongPurpose => problem!("net-certificate-purpose"),
            Reason::OwnAuthority => problem!("net-certificate-authority"),
            Reason::NotPinned { expected, presented, .. } => {
                problem!("net-certificate-pin", presented = presented, expected = expected)
            }
            Reason::Other(words) => Self::words(words.as_str()),
        }
    }
}

impl From<&NotRtmp> for Problem {
    fn from(seen: &NotRtmp) -> Self {
        match seen {
            NotRtmp::Http => problem!("net-not-rtmp-web"),
            NotRtmp::Tls => problem!("net-not-rtmp-tls"),
            NotRtmp::Banner(line) => problem!("net-not-rtmp-banner", line = line),
            NotRtmp::Bytes(bytes) => {
                let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                problem!("net-not-rtmp", bytes = bytes.join(" "))
            }
        }
    }
}

impl From<&WebProblem> for Problem {
    fn from(problem: &WebProblem) -> Self {
        match problem {
            WebProblem::RoundAndRound => problem!("net-web-circle"),
            WebProblem::Nowhere(why) => problem!("net-web-nowhere", reason = Self::from(why)),
            WebProblem::Unsafe => problem!("net-web-unsafe"),
            WebProblem::OtherProtocol => problem!("net-web-other-protocol"),
            WebProblem::Packed(by) => problem!("net-web-packed", by = by),
            WebProblem::TooMuch { kib } => problem!("net-web-too-much", kib = *kib),
            WebProblem::TooLittle => problem!("net-web-too-little"),
            WebProblem::OtherPart => problem!("net-web-other-part"),
        }
    }
}

impl From<&UrlError> for Problem {
    fn from(error: &UrlError) -> Self {
        match error {
            UrlError::TooLong => problem!("net-url-too-long", bytes = MAX_URL_BYTES),
            UrlError::Unreadable => problem!("net-url-unreadable"),
            UrlError::Scheme => problem!("net-url-scheme"),
            UrlError::NoHost => problem!("net-url-no-host"),
        }
    }
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Unauthorized => problem!("net-refused-unauthorized"),
        Refusal::Rejected => problem!("net-refused-rejected"),
        Refusal::Busy => problem!("net-refused-busy"),
        Refusal::BadApp => problem!("net-refused-app"),
        Refusal::NotFound => problem!("net-refused-not-found"),
        Refusal::Closed => problem!("net-refused-closed"),
        Refusal::Failed => problem!("net-refused-failed"),
    }
}

fn of_proxy(proxy: &str, problem: &ProxyProblem) -> Problem {
    match problem {
        ProxyProblem::Unreachable(cause) => {
            let problem = Problem::from(&**cause);
            problem!("net-proxy-unreachable", proxy = proxy, problem = problem)
        }
        ProxyProblem::NeedsLogin => problem!("net-proxy-needs-login", proxy = proxy),
        ProxyProblem::WrongLogin => problem!("net-proxy-wrong-login", proxy = proxy),
        ProxyProblem::OtherLogin(methods) => {
            problem!("net-proxy-other-login", proxy = proxy, methods = methods)
        }
        ProxyProblem::Refused(problem) => {
            problem!("net-proxy-refused", proxy = proxy, problem = problem)
        }
        ProxyProblem::NotProxy(problem) => {
            problem!("net-proxy-not-one", proxy = proxy, problem = problem)
        }
    }
}

fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        time.as_secs().to_string()
    } else {
        format!("{:.1}", time.as_secs_f64())
    }
}

/// Formats the UTC date of a Unix time in seconds.
fn date(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| format!("second {seconds}"), |at| at.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn the_stage_is_named_where_the_cause_does_not_tell_it() {
        let text = |stage, cause| Error { stage, cause, peer: "a:1".into() }.problem().to_string();
        let after = Duration::from_secs(10);
        for (stage, cause, words) in [
            (ConnectStage::Tls, Cause::Reset, "during the TLS handshake: the connection was reset"),
            (
                ConnectStage::Connect,
                Cause::Closed,
                "while connecting to the application: the server closed the connection",
            ),
            (
                ConnectStage::Handshake,
                Cause::TimedOut { after },
                "during the RTMP handshake: no response within 10 s",
            ),
            (ConnectStage::Media, Cause::Closed, "mid-stream: the server closed the connection"),
            (ConnectStage::Dns, Cause::NoSuchHost, "unknown host"),
            (
                ConnectStage::Tcp,
                Cause::ConnectionRefused,
                "connection refused: nothing is listening on this port",
            ),
        ] {
            assert_eq!(text(stage, cause), words);
        }
    }

    /// The proxy can be one for SOCKS.
    #[test]
    fn the_cure_of_a_proxy_that_requires_a_login_names_no_scheme() {
        let problem = of_proxy("proxy.example:1080", &ProxyProblem::NeedsLogin);
        for language in Language::ALL {
            let cure = language.cure(&problem).unwrap();
            assert!(!cure.contains("://") && cure.contains('@'), "{cure}");
        }
    }

    #[test]
    fn every_cause_reads_as_a_sentence_and_has_a_cure() {
        let error = Error {
            stage: ConnectStage::Tls,
            cause: Cause::Certificate {
                problem: CertificateProblem::Expired { not_after: Some(86_400) },
                presented: None,
            },
            peer: "live.example:443".into(),
        };
        assert_eq!(
            error.to_string(),
            "live.example:443: onair rejects the server's certificate: \
             it expired on 1970-01-02 (notAfter)"
        );
        let cure = |error: &Error| Language::English.cure(&error.problem()).unwrap();
        assert!(cure(&error).contains("date"));
        let renewed = [false, true].map(|accepted| {
            let (expected, presented) = ("x".to_owned(), "y".to_owned());
            let problem = CertificateProblem::NotPinned { expected, presented, accepted };
            let cause = Cause::Certificate { problem, presented: None };
            cure(&Error { cause, ..error.clone() })
        });
        assert!(renewed[0].contains("pin the new one") && renewed[1].contains("press the button"));
        assert_eq!(error.class().exit_code(), 6);
        assert_eq!(
            Language::Chinese.say(&error.problem()),
            "服务器证书验证失败：已于 1970-01-02 过期"
        );
    }

    #[test]
    fn a_text_of_the_server_does_not_end_with_its_own_full_stop() {
        let description = "Already publishing.".to_owned();
        let code = "NetStream.Publish.BadName".to_owned();
        let cause = Cause::Status { refusal: Refusal::Busy, code, description };
        let text = Language::English.say(&Problem::from(&cause));
        let expected = "the server says \"Already publishing\" (NetStream.Publish.BadName): ";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn what_helps_depends_on_the_stage_where_the_cause_does_not_tell_it() {
        let cure = |stage, cause| {
            let error = Error { stage, cause, peer: "a:1".into() };
            Language::English.cure(&error.problem()).unwrap()
        };
        assert!(cure(ConnectStage::Publish, Cause::Closed).contains("stream key"));
        assert!(cure(ConnectStage::Handshake, Cause::Closed).contains("rtmps://"));
        assert!(cure(ConnectStage::Media, Cause::Io("x".into())).contains("log"));
        let answered = |status, cookie| {
            let answer = Cause::Answer { status, reason: "x".to_owned(), cookie };
            cure(ConnectStage::Request, answer)
        };
        assert!(answered(403, true).contains("cookies"));
        // A server that requires a login says so by this status, even if it also sets a cookie.
        assert!(answered(401, true).contains("user name"));
        assert!(answered(403, false).contains("user name"));
        let refused = |stage, refusal| {
            let (code, description) = ("NetStream.X".to_owned(), String::new());
            cure(stage, Cause::Status { refusal, code, description })
        };
        assert!(
            refused(ConnectStage::Connect, Refusal::Unauthorized).contains("name and password")
        );
        assert!(refused(ConnectStage::Publish, Refusal::Unauthorized).contains("copy it again"));
        assert!(refused(ConnectStage::Play, Refusal::Unauthorized).contains("key or token"));
        assert!(refused(ConnectStage::Media, Refusal::Failed).contains("ended the stream"));
        assert!(refused(ConnectStage::Publish, Refusal::Rejected).contains("Check the URL"));
        assert!(refused(ConnectStage::Media, Refusal::Rejected).contains("another program"));
    }
}
