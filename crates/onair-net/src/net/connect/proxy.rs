//! Connects through a proxy: HTTP `CONNECT` (RFC 9110, 9.3.6) or SOCKS 5. The proxy resolves the
//! server's name, and passes the data on without reading it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::net::connect::network::Network;
use crate::net::error::socks::socks_problem;
use crate::net::error::{Cause, ProxyProblem as Problem};
use crate::net::stream::Stream;
use crate::net::web::http::{Fault, Http};
use crate::problems::ToProblem;
use crate::text;
use crate::text::problem::problem;
use crate::wire::http::{Fields, Response};
use crate::wire::proxy::socks5;
use crate::wire::rtmp::url::{Credentials, authority, split_authority};

/// The default port, as in curl.
const DEFAULT_PROXY_PORT: u16 = 1080;

/// The protocol of a proxy.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Http,
    Socks5,
}

/// A proxy. `Display` and `Debug` do not show the user and the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub kind: Kind,
    /// The name or the address of the proxy; an IPv6 address has no brackets.
    pub host: String,
    pub port: u16,
    pub credentials: Option<Credentials>,
    /// The hosts to which onair connects directly: names, suffixes of names, addresses, networks
    /// (CIDR), or `*`.
    pub except: Vec<String>,
}

impl FromStr for Proxy {
    type Err = text::Problem;

    /// Parses `http://[user:password@]host[:port]` or `socks5://…`; the default scheme is `http`.
    /// The error never contains the text, because it can contain a password.
    fn from_str(text: &str) -> Result<Self, text::Problem> {
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => Kind::Http,
            "socks5" | "socks5h" | "socks" => Kind::Socks5,
            _ => return Err(problem!("route-proxy")),
        };
        let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !path.is_empty() || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(problem!("route-proxy-more"));
        }
        let parts = split_authority(server).map_err(|error| error.to_problem())?;
        let (credentials, host, port) = parts;
        let (port, host) = (port.unwrap_or(DEFAULT_PROXY_PORT), host.to_owned());
        Ok(Self { kind, host, port, credentials, except: Vec::new() })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}", authority(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl Proxy {
    /// Returns true if the proxy is used for this host.
    pub fn serves(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        !self.except.iter().any(|except| {
            let except = except.trim().trim_start_matches('.').to_ascii_lowercase();
            let ending = || host.strip_suffix(&except).is_some_and(|front| front.ends_with('.'));
            // An IPv6 address can have brackets, as in a URL.
            let network = || except.replace(['[', ']'], "").parse::<Network>();
            let is_in = |address| network().is_ok_and(|network| network.contains(address));
            except == "*"
                || (!except.is_empty() && (host == except || ending()))
                || address.is_some_and(is_in)
        })
    }

    /// Returns the problem when the proxy requires a login. onair supports only the method `Basic`.
    fn login_problem(&self, fields: &Fields) -> Problem {
        let values: Vec<String> = fields.all("proxy-authenticate").map(without_strings).collect();
        let challenges = values.iter().flat_map(|value| value.split(','));
        // The parameters of a method follow commas too, but contain `=` (RFC 9110, 11.6.1).
        let methods: Vec<&str> = challenges
            .filter_map(|challenge| {
                let mut words = challenge.split_whitespace();
                let method = words.next()?;
                words.next().is_none_or(|word| !word.starts_with('=')).then_some(method)
            })
            .filter(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
            .collect();
        let is_basic = |method: &&str| method.eq_ignore_ascii_case("basic");
        match self.credentials {
            _ if !methods.is_empty() && !methods.iter().any(is_basic) => {
                Problem::OtherLogin(methods.join(", ").chars().take(60).collect())
            }
            Some(_) => Problem::WrongLogin,
            None => Problem::NeedsLogin,
        }
    }

    /// Converts a problem to the cause of an error.
    pub(in crate::net) fn cause(&self, problem: Problem) -> Cause {
        Cause::Proxy { proxy: self.to_string(), problem }
    }

    /// Asks the proxy to connect to a host. Afterwards, the stream is a connection to that host.
    pub(in crate::net) async fn pass(
        &self,
        stream: Stream,
        host: &str,
        port: u16,
        limit: Duration,
    ) -> Result<Stream, Cause> {
        // True as soon as the proxy knows the host.
        let mut is_asked = false;
        let passing = async {
            match self.kind {
                Kind::Http => self.pass_http(stream, host, port, &mut is_asked).await,
                Kind::Socks5 => self.pass_socks5(stream, host, port, &mut is_asked).await,
            }
        };
        let late = Problem::Unreachable(Box::new(Cause::TimedOut { after: limit }));
        let passed = timeout(limit, passing).await.unwrap_or(Err(late));
        passed.map_err(|problem| match problem {
            Problem::Unreachable(cause) if is_asked => match *cause {
                Cause::Closed => self.cause(Problem::Refused(problem!("net-proxy-closed"))),
                cause => self.cause(Problem::Refused((&cause).into())),
            },
            problem => self.cause(problem),
        })
    }

    async fn pass_http(
        &self,
        stream: Stream,
        host: &str,
        port: u16,
        is_asked: &mut bool,
    ) -> Result<Stream, Problem> {
        let target = authority(host, port);
        let login = match &self.credentials {
            Some(Credentials { user, password }) => {
                let login = BASE64.encode(format!("{user}:{}", password.expose()).as_bytes());
                format!("Proxy-Authorization: Basic {login}\r\n")
            }
            None => String::new(),
        };
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n");
        let fault = |fault: Fault| match fault {
            Fault::Http(_) => Problem::NotProxy(problem!("net-proxy-no-http")),
            fault => Problem::Unreachable(Box::new(fault.cause())),
        };
        let mut http = Http::new(stream);
        http.send(request.as_bytes()).await.map_err(fault)?;
        *is_asked = true;
        let head = http.head().await.map_err(fault)?;
        let head = head.ok_or_else(|| Problem::Refused(problem!("net-proxy-closed")))?;
        let answer = Response::parse(&head).map_err(|error| fault(Fault::Http(error)))?;
        match answer.status {
            200..=299 => Ok(http.into_stream()),
            // 401 is a status for servers, but tinyproxy sends it for a wrong password.
            407 | 401 => Err(self.login_problem(&answer.fields)),
            status => Err(Problem::Refused(format!("{status} {}", answer.reason).into())),
        }
    }

    async fn pass_socks5(
        &self,
        mut stream: Stream,
        host: &str,
        port: u16,
        is_asked: &mut bool,
    ) -> Result<Stream, Problem> {
        let mut answer = [0; 2];
        talk(&mut stream, &socks5::greeting(self.credentials.is_some()), &mut answer).await?;
        if socks5::method(answer)? == socks5::Method::Login {
            let login = self.credentials.as_ref().ok_or(Problem::NeedsLogin)?;
            let message = socks5::login(&login.user, login.password.expose())?;
            talk(&mut stream, &message, &mut answer).await?;
            socks5::logged_in(answer)?;
        }
        let mut first = [0; 5];
        *is_asked = true;
        talk(&mut stream, &socks5::request(host, port)?, &mut first).await?;
        // At most 257 bytes.
        let mut rest = vec![0; socks5::rest_of_answer(first)?];
        talk(&mut stream, &[], &mut rest).await?;
        Ok(stream)
    }
}

/// Returns the value of a header without its quoted strings (RFC 9110, 5.6.4).
fn without_strings(value: &str) -> String {
    value.replace(r"\\", "").replace(r#"\""#, "").split('"').step_by(2).collect()
}

/// Sends a message, and fills `answer` with the reply.
async fn talk(stream: &mut Stream, message: &[u8], answer: &mut [u8]) -> Result<(), Problem> {
    let exchange = async {
        stream.write_all(message).await?;
        stream.flush().await?;
        stream.read_exact(answer).await
    };
    let failed = |error| Problem::Unreachable(Box::new(Cause::from_io(&error)));
    exchange.await.map(|_| ()).map_err(failed)
}

impl From<socks5::Error> for Problem {
    fn from(error: socks5::Error) -> Self {
        match error {
            socks5::Error::NeedsLogin => Self::NeedsLogin,
            socks5::Error::WrongLogin => Self::WrongLogin,
            socks5::Error::NotSocks => Self::NotProxy(socks_problem(error)),
            other => Self::Refused(socks_problem(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_and_their_passwords_never_shown() {
        let proxy: Proxy = "socks5://me:pa%40ss@[::1]:9050".parse().unwrap();
        assert_eq!((proxy.kind, proxy.host.as_str(), proxy.port), (Kind::Socks5, "::1", 9_050));
        assert_eq!(proxy.credentials.as_ref().unwrap().password.expose(), "pa@ss");
        assert_eq!(format!("{proxy} {proxy:?}"), "socks5://[::1]:9050 Proxy(socks5://[::1]:9050)");
        let plain: Proxy = "proxy.example/".parse().unwrap();
        assert_eq!((plain.kind, plain.port), (Kind::Http, 1_080));
        for bad in ["", "ftp://h", "http://", "http://u:secret@", "http://h:0", "http://h/secret"] {
            let error = bad.parse::<Proxy>().unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn exceptions_are_names_and_their_ends() {
        let mut proxy: Proxy = "h:1".parse().unwrap();
        let except = ["localhost", ".Example.com", "10.0.0.1", "", "192.0.2.0/24", "[::1]"];
        proxy.except = except.map(str::to_owned).to_vec();
        let serves = |host| proxy.serves(host);
        assert!(!serves("localhost") && !serves("live.example.COM") && !serves("example.com"));
        assert!(!serves("10.0.0.1") && serves("badexample.com") && serves("10.0.0.11"));
        assert!(!serves("192.0.2.7") && !serves("::1") && serves("192.0.3.7") && serves("::2"));
    }

    #[test]
    fn login_methods_other_than_basic_are_named() {
        let proxy: Proxy = "me:password@h:1".parse().unwrap();
        for (challenges, expected) in [
            (&["Negotiate", "NTLM"][..], Problem::OtherLogin("Negotiate, NTLM".into())),
            (
                &["Digest realm=\"a\", qop=\"auth,auth-int\", stale=false"],
                Problem::OtherLogin("Digest".into()),
            ),
            (
                &[r#"Digest realm="a, basic, \", basic \\", nonce = "b""#],
                Problem::OtherLogin("Digest".into()),
            ),
            (&["NTLM", "basic realm=\"a\""], Problem::WrongLogin),
            (&[], Problem::WrongLogin),
        ] {
            let fields = challenges.iter().map(|one| format!("Proxy-Authenticate: {one}\r\n"));
            let fields: String = fields.collect();
            let head = format!("HTTP/1.1 407 Proxy Authentication Required\r\n{fields}\r\n");
            let answer = Response::parse(head.as_bytes()).unwrap();
            assert_eq!(proxy.login_problem(&answer.fields), expected, "{challenges:?}");
        }
    }
}
