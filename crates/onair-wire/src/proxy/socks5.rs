//! Client side of SOCKS 5 with user and password (RFC 1928, RFC 1929): makes requests, and computes
//! the length of replies. This module is sans-IO.

/// The reason why a proxy rejects a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The proxy does not speak SOCKS 5.
    NotSocks,
    NeedsLogin,
    WrongLogin,
    /// The user, the password or the host is longer than 255 bytes.
    TooLong,
    /// The rules of the proxy forbid the connection.
    Forbidden,
    NetworkUnreachable,
    HostUnreachable,
    ConnectionRefused,
    /// The proxy failed with this code.
    Failed(u8),
}

/// The authentication that the proxy requires.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Nothing,
    Login,
}

/// Makes the first message, whose reply is 2 bytes long.
pub fn greeting(login: bool) -> Vec<u8> {
    if login { vec![5, 2, 0, 2] } else { vec![5, 1, 0] }
}

/// Parses the reply to the greeting.
///
/// # Errors
/// Fails with [`Error::NotSocks`] or [`Error::NeedsLogin`].
pub fn method(answer: [u8; 2]) -> Result<Method, Error> {
    match answer {
        [5, 0] => Ok(Method::Nothing),
        [5, 2] => Ok(Method::Login),
        [5, _] => Err(Error::NeedsLogin),
        _ => Err(Error::NotSocks),
    }
}

/// Makes the message with the user and the password, whose reply is 2 bytes long.
///
/// # Errors
/// Fails with [`Error::TooLong`].
pub fn login(user: &str, password: &str) -> Result<Vec<u8>, Error> {
    let mut message = vec![1];
    for text in [user, password] {
        message.push(u8::try_from(text.len()).map_err(|_| Error::TooLong)?);
        message.extend_from_slice(text.as_bytes());
    }
    Ok(message)
}

/// Checks that the proxy accepted the user and the password.
///
/// # Errors
/// Fails with [`Error::WrongLogin`].
pub fn logged_in(answer: [u8; 2]) -> Result<(), Error> {
    if answer[1] == 0 { Ok(()) } else { Err(Error::WrongLogin) }
}

/// Makes a request for a connection to a host, by IP address or by name.
///
/// # Errors
/// Fails with [`Error::TooLong`].
pub fn request(host: &str, port: u16) -> Result<Vec<u8>, Error> {
    let mut message = vec![5, 1, 0];
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => {
            message.push(1);
            message.extend_from_slice(&address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            message.push(4);
            message.extend_from_slice(&address.octets());
        }
        Err(_) => {
            message.push(3);
            message.push(u8::try_from(host.len()).map_err(|_| Error::TooLong)?);
            message.extend_from_slice(host.as_bytes());
        }
    }
    message.extend_from_slice(&port.to_be_bytes());
    Ok(message)
}

/// Returns the number of bytes that follow the first 5 of the reply to the request.
///
/// # Errors
/// Fails with the cause if there is no connection.
pub fn rest_of_answer(first: [u8; 5]) -> Result<usize, Error> {
    let [version, reply, _, kind, length] = first;
    match (version, reply) {
        (5, 0) => {}
        (5, 2) => return Err(Error::Forbidden),
        (5, 3) => return Err(Error::NetworkUnreachable),
        (5, 4) => return Err(Error::HostUnreachable),
        (5, 5) => return Err(Error::ConnectionRefused),
        (5, code) => return Err(Error::Failed(code)),
        _ => return Err(Error::NotSocks),
    }
    // An address without the byte already read, and the port.
    match kind {
        1 => Ok(3 + 2),
        3 => Ok(usize::from(length) + 2),
        4 => Ok(15 + 2),
        _ => Err(Error::NotSocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_documents_have_them() {
        assert_eq!(greeting(true), [5, 2, 0, 2]);
        assert_eq!(login("u", "pw"), Ok(vec![1, 1, b'u', 2, b'p', b'w']));
        assert_eq!(request("1.2.3.4", 80), Ok(vec![5, 1, 0, 1, 1, 2, 3, 4, 0, 80]));
        assert_eq!(request("::1", 80).map(|message| message.len()), Ok(4 + 16 + 2));
        assert_eq!(request("ab", 256), Ok(vec![5, 1, 0, 3, 2, b'a', b'b', 1, 0]));
        assert_eq!(request(&"a".repeat(256), 1), Err(Error::TooLong));
        assert_eq!(login("u", &"p".repeat(256)), Err(Error::TooLong));
    }

    #[test]
    fn answers_are_read_and_lies_are_not_believed() {
        assert_eq!(method([5, 2]), Ok(Method::Login));
        assert_eq!(method([5, 255]), Err(Error::NeedsLogin));
        assert_eq!(method(*b"HT"), Err(Error::NotSocks));
        assert_eq!(logged_in([1, 1]), Err(Error::WrongLogin));
        assert_eq!(rest_of_answer([5, 0, 0, 1, 9]), Ok(5));
        assert_eq!(rest_of_answer([5, 0, 0, 3, 255]), Ok(257));
        assert_eq!(rest_of_answer([5, 0, 0, 4, 9]), Ok(17));
        assert_eq!(rest_of_answer([5, 0, 0, 9, 9]), Err(Error::NotSocks));
        assert_eq!(rest_of_answer([5, 5, 0, 1, 0]), Err(Error::ConnectionRefused));
        assert_eq!(rest_of_answer([4, 0, 0, 1, 0]), Err(Error::NotSocks));
    }
}
