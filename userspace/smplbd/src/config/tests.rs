// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files, good and bad.

use super::*;

fn faults(text: &str) -> Vec<String> {
    match Config::parse("f", text, Path::new("/nonexistent")) {
        Ok(_) => Vec::new(),
        Err(error) => error.lines().to_vec(),
    }
}

/// A service with more lines, and a backend with more lines.
fn file(service: &str, backend: &str) -> String {
    format!(
        "[[service]]\naddress = 'tcp:192.0.2.1:80'\n{service}\n\
         [[service.backend]]\naddress = '10.0.0.1'\n{backend}\n"
    )
}

#[test]
fn a_whole_file_is_read() {
    let text = "
        [daemon]
        log = 'debug'
        format = 'json'
        metrics = '127.0.0.1:9472'
        [[service]]
        address = 'tcp:192.0.2.1:80'
        scheduler = 'wrr'
        mode = 'dr'
        timeout = 60
        announce = false
        [service.distribution]
        algorithm = 'latency'
        interval = 0.5
        [service.check]
        type = 'http'
        path = '/up'
        [[service.backend]]
        address = '10.0.0.1:8080'
        weight = 0
        labels = ['gpu']
        load = 'orca:web1.example:9470'
        [[service.backend]]
        address = '10.0.0.2'
        load = 'agent-check:[2001:db8::1]:5555'
        agent-send = 'web2'
    ";
    let config = Config::parse("f", text, Path::new("")).unwrap();
    assert_eq!(config.daemon.format, Format::Json);
    assert_eq!(config.daemon.metrics.unwrap().port(), 9472);
    assert!(config.switch.is_none());
    let service = &config.services[0];
    assert_eq!(service.to_string(), "tcp:192.0.2.1:80");
    assert_eq!(service.definition.mode, Some(smplb_nl::Mode::Dr));
    assert_eq!(service.definition.timeout, Some(60));
    assert_eq!(service.definition.announce, Some(false));
    assert_eq!(service.interval().as_millis(), 500);
    assert!(service.check.is_some());
    let [first, second] = &service.backends[..] else {
        panic!("{:?}", service.backends);
    };
    assert_eq!(
        (first.key.to_string(), first.weight),
        ("10.0.0.1:8080".to_owned(), 0)
    );
    assert_eq!(first.labels, ["gpu"]);
    assert!(matches!(&first.load, Some(Load::Orca(target)) if target.tls.is_none()));
    assert_eq!(
        (second.key.to_string(), second.weight),
        ("10.0.0.2:80".to_owned(), 1)
    );
    let wanted = Load::AgentCheck {
        addr: "[2001:db8::1]:5555".to_owned(),
        send: Some("web2".to_owned()),
    };
    assert_eq!(second.load, Some(wanted));
}

#[test]
fn the_example_is_good() {
    let text = include_str!("../../../../packaging/smplbd.toml");
    let config = Config::parse("smplbd.toml", text, Path::new("")).unwrap();
    assert!(!config.services.is_empty());
    // What stands there as a comment is good too, but for the files it names.
    let all: String = text
        .lines()
        .map(|line| match line.strip_prefix("#") {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    for line in faults(&all) {
        assert!(line.contains("No such file"), "{line}");
    }
}

#[test]
fn what_toml_refuses_has_a_line() {
    for (text, wanted) in [
        ("[daemon]\nlog = 1\n", "f:2:7: "),
        ("[[service]]\n", "f:1:1: missing field `address`"),
        (&*file("adress = 1", ""), "f:3:1: unknown field `adress`"),
        (&*file("", "weight = 'x'"), "f:6:10: "),
        (
            "[daemon]\nformat = 'xml'\n",
            "f:2:10: unknown variant `xml`",
        ),
        ("x", "f:1:2: "),
    ] {
        let faults = faults(text);
        assert_eq!(faults.len(), 1, "{text}");
        assert!(faults[0].starts_with(wanted), "{text}: {}", faults[0]);
    }
}

#[test]
fn what_is_wrong_names_its_place_and_what_to_do() {
    let service = "service tcp:192.0.2.1:80";
    let backend = "service tcp:192.0.2.1:80: backend 10.0.0.1";
    for (text, place, words) in [
        (
            file("", "weight = -1"),
            format!("{backend}: weight"),
            "write 0",
        ),
        (
            file("", "weight = 65536"),
            format!("{backend}: weight"),
            "to 65535",
        ),
        (
            file("", "labels = ['']"),
            format!("{backend}: labels"),
            "leave it out",
        ),
        (
            file("", "load = 'nrpe:a:1'"),
            format!("{backend}: load"),
            "write orca:",
        ),
        (
            file("", "load = 'orca'"),
            format!("{backend}: load"),
            "write orca:",
        ),
        (
            file("", "load = 'orca:a'"),
            format!("{backend}: load"),
            "HOST:PORT",
        ),
        (
            file("", "load = 'orca:a:0'"),
            format!("{backend}: load"),
            "HOST:PORT",
        ),
        (
            file("", "load = 'orca:a:1'\nagent-send = 'x'"),
            format!("{backend}: load"),
            "only for agent-check",
        ),
        (
            file("", "agent-send = 'x'"),
            format!("{backend}: agent-send"),
            "give load",
        ),
        (
            file("", "load = 'orca:a:1'\ntls = { ca = 'a.pem' }"),
            format!("{backend}: tls"),
            "is encrypted",
        ),
        (
            file("", "load = 'orcas:a:1'\ntls = { ca = 'no.pem' }"),
            format!("{backend}: load"),
            "/nonexistent/no.pem: ",
        ),
        (
            file("tls = { certificate = 'no.pem' }", "load = 'orcas:a:1'"),
            format!("{backend}: load"),
            "no.pem",
        ),
        (
            file("scheduler = 'best'", ""),
            format!("{service}: scheduler"),
            "wrr or lc",
        ),
        (
            file("mode = 'tun'", ""),
            format!("{service}: mode"),
            "nat or dr",
        ),
        (
            file("timeout = 0", ""),
            format!("{service}: timeout"),
            "write 1 to",
        ),
        (
            file("[service.distribution]\nalgorithm = 'best'", ""),
            format!("{service}: distribution"),
            "best",
        ),
        (
            file("[service.distribution]\nno-such-key = 1", ""),
            format!("{service}: distribution"),
            "no-such-key",
        ),
        (
            file("[service.distribution]\ninterval = -1.0", ""),
            format!("{service}: distribution"),
            "interval",
        ),
        (
            file("[service.distribution]\nalgorithm = 'prefer'", ""),
            format!("{service}: distribution"),
            "labels",
        ),
        (
            file("[service.check]\ntype = 'ping'", ""),
            format!("{service}: check"),
            "ping",
        ),
        (
            file("[service.check]\ntype = 'tcp'\nrise = 0", ""),
            format!("{service}: check"),
            "rise",
        ),
        (
            file("[service.check]\ntype = 'https'\nca = 'no.pem'", ""),
            format!("{service}: check"),
            "/nonexistent/no.pem: ",
        ),
        (
            format!(
                "{}[[service.backend]]\naddress = '10.0.0.1:80'\n",
                file("", "")
            ),
            "service tcp:192.0.2.1:80: backend 10.0.0.1:80".to_owned(),
            "comes twice",
        ),
        (
            format!("{0}{0}", file("", "")),
            service.to_owned(),
            "comes twice",
        ),
        (
            "[[service]]\naddress = 'tcp:x:80'".to_owned(),
            "service tcp:x:80".to_owned(),
            "x is not an IPv4 address",
        ),
        (
            "[[service]]\naddress = 'tcp:192.0.2.1:0'".to_owned(),
            "service tcp:192.0.2.1:0".to_owned(),
            "port 0",
        ),
        (
            "[daemon]\nmetrics = 'x'".to_owned(),
            "daemon: metrics".to_owned(),
            "127.0.0.1:9472",
        ),
        (
            "[daemon]\nlog = 'a=b=c'".to_owned(),
            "daemon: log".to_owned(),
            "write info",
        ),
        (
            "[switch]\nremote='http://a:1'\nca='a'\ncertificate='b'\nkey='c'".to_owned(),
            "switch: remote".to_owned(),
            "write as https://",
        ),
        (
            "[switch]\nremote='https://a:1'\nca='a'\ncertificate='b'\nkey='c'".to_owned(),
            "switch".to_owned(),
            "/nonexistent/",
        ),
    ] {
        let faults = faults(&text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        let start = format!("f: {place}: ");
        assert!(faults[0].starts_with(&start), "{text}: {}", faults[0]);
        assert!(faults[0].contains(words), "{text}: {}", faults[0]);
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = file("mode = 'tun'\ntimeout = 0", "weight = 70000\nload = 'x'");
    assert_eq!(faults(&text).len(), 4);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Path::new("/nonexistent/smplbd.toml")).unwrap_err();
    let line = &error.lines()[0];
    assert!(
        line.starts_with("/nonexistent/smplbd.toml: cannot read it: "),
        "{line}"
    );
}
