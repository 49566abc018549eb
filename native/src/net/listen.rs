//! Listening sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpListener;
use tracing::debug;

use crate::auth::proxy::is_loopback;
use crate::config::Bind;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Size of the kernel's send buffers; larger ones would only hide slow readers.
const SEND_BUFFER_BYTES: usize = 128 * 1024;

/// Why the gateway cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address is in use.
    #[error("{0} is in use")]
    InUse(SocketAddr),
    /// The system refuses.
    #[error("cannot listen on {0}: {1}")]
    Io(SocketAddr, #[source] io::Error),
    /// A socket that was handed over cannot be used, or there is none.
    #[error("cannot use the socket that was handed over: {0}")]
    Adopted(#[source] io::Error),
}

/// Listens on the first address, and on the others where possible, all on the same port.
///
/// # Errors
/// [`ListenError`] when the first address cannot be bound, or another of them is in use.
pub(crate) fn listen(bind: Bind, port: u16) -> Result<Vec<TcpListener>, ListenError> {
    listen_on(bind.addresses(), port)
}

fn listen_on(
    addresses: impl IntoIterator<Item = IpAddr>,
    port: u16,
) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut chosen_port = port;
    for ip in addresses {
        let address = SocketAddr::new(ip, chosen_port);
        match open(address) {
            Ok(listener) => {
                chosen_port = listener.local_addr().map_or(port, |local| local.port());
                listeners.push(listener);
            }
            // Otherwise clients would reach another program on the same port.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && (listeners.is_empty() || port != 0) => {
                return Err(ListenError::InUse(address));
            }
            Err(error) if listeners.is_empty() => return Err(ListenError::Io(address, error)),
            Err(error) => debug!(%address, %error, "not listening there"),
        }
    }
    Ok(listeners)
}

/// Takes over sockets that listen already.
///
/// # Errors
/// [`ListenError::Adopted`] when one of them cannot be used, or there is none.
pub(crate) fn adopt(listeners: Vec<std::net::TcpListener>) -> Result<Vec<TcpListener>, ListenError> {
    if listeners.is_empty() {
        return Err(ListenError::Adopted(io::ErrorKind::NotFound.into()));
    }
    let adopt = |listener: std::net::TcpListener| {
        listener.set_nonblocking(true)?;
        let socket = SockRef::from(&listener);
        // Connections inherit both. Both are optional.
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
        TcpListener::from_std(listener)
    };
    listeners
        .into_iter()
        .map(|listener| adopt(listener).map_err(ListenError::Adopted))
        .collect()
}

/// Whether only this machine can reach all of these sockets.
pub(crate) fn only_loopback(listeners: &[std::net::TcpListener]) -> bool {
    listeners.iter().all(|listener| {
        listener
            .local_addr()
            .is_ok_and(|address| is_loopback(address.ip()))
    })
}

/// Listens on one address, for a runtime that runs elsewhere.
///
/// # Errors
/// [`ListenError`]: the address is taken, or the system refuses.
pub(crate) fn listen_at(address: SocketAddr) -> Result<std::net::TcpListener, ListenError> {
    open_socket(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse(address),
        _ => ListenError::Io(address, error),
    })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::from_std(open_socket(address)?)
}

fn open_socket(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for old connections. On Windows the option would take the port from another program.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if matches!(address.ip(), IpAddr::V6(_)) {
        socket.set_only_v6(true)?;
    }
    // Connections inherit both from the listener. Both are optional.
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn both_loopback_addresses_share_the_port() {
        let listeners = listen(Bind::Loopback, 0).unwrap();
        let ports: Vec<u16> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect();
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0));
    }

    #[tokio::test]
    async fn connections_have_the_options_of_the_listener() {
        let listener = listen(Bind::Loopback, 0).unwrap().remove(0);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        assert!(stream.nodelay().unwrap());
        let buffer = SockRef::from(&stream).send_buffer_size().unwrap();
        // Linux counts its own bookkeeping too.
        assert!(
            (SEND_BUFFER_BYTES..=2 * SEND_BUFFER_BYTES).contains(&buffer),
            "{buffer}"
        );
    }

    /// As `::1` on a machine without IPv6.
    #[tokio::test]
    async fn an_address_that_the_machine_lacks_is_left_out_unless_it_is_the_first() {
        let own = IpAddr::from(Ipv4Addr::LOCALHOST);
        // For documentation (RFC 5737).
        let lacking = IpAddr::from([192, 0, 2, 1]);
        let listeners = listen_on([own, lacking], 0).unwrap();
        let addresses: Vec<IpAddr> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().ip())
            .collect();
        assert_eq!(addresses, [own]);
        let Err(ListenError::Io(named, _)) = listen_on([lacking, own], 0) else {
            panic!("listened elsewhere only")
        };
        assert_eq!(named.ip(), lacking);
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let bind = Bind::Address(Ipv4Addr::LOCALHOST.into());
        let first = listen(bind, 0).unwrap();
        let address = first[0].local_addr().unwrap();
        let Err(ListenError::InUse(named)) = listen(bind, address.port()) else {
            panic!("listened twice")
        };
        assert_eq!(named, address);
    }
}
