// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;

fn read(text: &str) -> Result<Check, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
}

/// What is wrong with a check that can be read.
fn wrong(text: &str) -> String {
    read(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .verify()
        .unwrap_err()
}

#[test]
fn defaults_are_haproxys() {
    let check = read("type = 'tcp'").unwrap();
    check.verify().unwrap();
    assert_eq!(check.interval(), Duration::from_secs(2));
    assert_eq!(check.fast_interval(), Duration::from_secs(2));
    assert_eq!(check.timeout(), Duration::from_secs(2));
    assert_eq!((check.rise(), check.fall(), check.port()), (2, 3, None));
}

#[test]
fn every_type_is_read() {
    for text in [
        "type = 'tcp'\nport = 8080\nrise = 1\nfall = 1\nfast-interval = 0.5",
        "type = 'http'\nmethod = 'HEAD'\npath = '/up?x=1'\nhost = 'web.example'\nstatus = '200,204'\nbody = 'ok'",
        "type = 'https'\nverify = false\nserver-name = 'web.example'",
        "type = 'dns'\nname = 'web.example'\nrecord = 'AAAA'\nrcode = 'noerror'\naddress = '2001:db8::1'",
        "type = 'grpc'\nservice = 'shop.Cart'",
        "type = 'grpc'\ntls = true\nverify = false",
    ] {
        let check = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        check.verify().unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn what_does_not_belong_to_a_type_is_named() {
    let error = read("type = 'tcp'\npath = '/'").unwrap_err();
    assert_eq!(error, "path has no meaning for a check of type tcp");
    let error = read("type = 'http'\nverify = false").unwrap_err();
    assert_eq!(error, "verify has no meaning for a check of type http");
    let error = read("type = 'grpc'\nca = 'ca.pem'").unwrap_err();
    assert_eq!(error, "ca has no meaning for a check of type grpc");
    assert!(read("type = 'tcp'\npaht = '/'")
        .unwrap_err()
        .contains("paht"));
    assert!(read("type = 'icmp'").unwrap_err().contains("icmp"));
    assert!(read("interval = 2").unwrap_err().contains("type"));
}

#[test]
fn values_out_of_range_are_named() {
    assert!(wrong("type = 'tcp'\ninterval = 0").starts_with("interval = 0:"));
    assert!(wrong("type = 'tcp'\ninterval = nan").starts_with("interval = NaN:"));
    assert!(wrong("type = 'tcp'\nfast-interval = -1").starts_with("fast-interval = -1:"));
    assert!(wrong("type = 'tcp'\ntimeout = inf").starts_with("timeout = inf:"));
    assert!(wrong("type = 'tcp'\nrise = 0").starts_with("rise = 0:"));
    assert!(wrong("type = 'tcp'\nfall = 101").starts_with("fall = 101:"));
    assert!(wrong("type = 'tcp'\nport = 0").starts_with("port = 0:"));
    assert!(wrong("type = 'http'\npath = 'up'").starts_with("path = \"up\":"));
    assert!(wrong("type = 'http'\npath = '/a b'").starts_with("path ="));
    assert!(wrong("type = 'http'\nmethod = 'GET /'").starts_with("method ="));
    assert!(wrong("type = 'http'\nhost = \"a\\r\\nb: c\"").starts_with("host ="));
    assert!(wrong("type = 'http'\nbody = ''").starts_with("body ="));
    assert!(wrong("type = 'dns'\nrecord = 'NOPE'").starts_with("record ="));
    assert!(wrong("type = 'dns'\nrcode = 'NOPE'").starts_with("rcode ="));
    assert!(wrong("type = 'dns'\nname = 'a..b'").starts_with("name ="));
    assert!(wrong("type = 'dns'\naddress = '192.0.2.1'").starts_with("address ="));
    assert!(wrong("type = 'grpc'\nservice = \"a\\nb\"").starts_with("service ="));
    assert!(wrong("type = 'https'\nca = '/nonexistent.pem'").starts_with("/nonexistent.pem:"));
}

#[test]
fn a_check_that_was_not_verified_does_no_harm() {
    let check =
        read("type = 'tcp'\ninterval = nan\ntimeout = -inf\nfast-interval = 1e300").unwrap();
    assert_eq!(check.interval(), Duration::from_millis(100));
    assert_eq!(check.timeout(), Duration::from_millis(10));
    assert_eq!(check.fast_interval(), Duration::from_secs(3600));
}
