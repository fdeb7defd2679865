// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;

#[test]
fn words_of_a_server_stay_one_short_line() {
    assert_eq!(printable("a\r\nb\x1b[2Jc"), "a  b [2Jc");
    let long = printable(&"ü".repeat(10_000));
    assert_eq!(long.chars().count(), WORDS + 1);
    assert!(long.ends_with('…'));
}

#[test]
fn errors_of_a_socket_have_names() {
    let of = |kind: io::ErrorKind| Trouble::of_io(&kind.into()).name();
    assert_eq!(of(io::ErrorKind::ConnectionRefused), "refused");
    assert_eq!(of(io::ErrorKind::ConnectionReset), "reset");
    assert_eq!(of(io::ErrorKind::BrokenPipe), "reset");
    assert_eq!(of(io::ErrorKind::UnexpectedEof), "closed");
    assert_eq!(of(io::ErrorKind::HostUnreachable), "unreachable");
}

#[test]
fn an_alert_about_a_certificate_is_told_from_a_wrong_certificate() {
    let alert = TlsError::AlertReceived(AlertDescription::CertificateRequired);
    let error = io::Error::new(io::ErrorKind::InvalidData, alert);
    assert_eq!(Trouble::of_io(&error).name(), "certificate-refused");
    let wrong = TlsError::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    let error = io::Error::new(io::ErrorKind::InvalidData, wrong);
    assert_eq!(Trouble::of_io(&error).name(), "wrong-certificate");
}
