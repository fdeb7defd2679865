// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file says, and what is wrong with it.

use super::*;

const GOOD: &str = r#"
# a comment
[[service]]
address = "tcp:192.0.2.1:80"
scheduler = "lc"
mode = "dr"
timeout = 0x384
announce = false
  [[service.backend]]
  address = "10.0.0.1:8080"
  weight = 5_0
  [[service.backend]]
  address = "10.0.0.2"

[[service]]
address = "udp:192.0.2.1:53"
backend = [{ address = "10.0.0.1" }, { address = "10.0.0.2", weight = 0 }]
"#;

fn faults(text: &str) -> Vec<String> {
    let mut faults = Document::read(text).unwrap_err();
    faults.sort_by_key(|fault| fault.span.start);
    let line = |fault: &Fault| {
        let place = Place::new("f", text, fault.span.start);
        format!(
            "{place}: {}: {}",
            fault.key.as_deref().unwrap_or("-"),
            fault.reason
        )
    };
    faults.iter().map(line).collect()
}

#[test]
fn a_file_becomes_a_request() {
    let request = Document::read(GOOD).unwrap().request();
    let key = |text: &str| text.parse::<ServiceKey>().unwrap().def();
    let web = ServiceDef {
        scheduler: Some(Scheduler::Lc),
        mode: Some(Mode::Dr),
        timeout: Some(900),
        announce: Some(0),
        ..key("tcp:192.0.2.1:80")
    };
    assert_eq!(request.service, [web, key("udp:192.0.2.1:53")]);
    let backend = |service, last, port, weight| BackendDef {
        service: Some(service),
        addr: Some([10, 0, 0, last].into()),
        port,
        weight,
    };
    assert_eq!(
        request.backend,
        [
            backend(0, 1, Some(8080), Some(50)),
            backend(0, 2, None, None),
            backend(1, 1, None, None),
            backend(1, 2, None, Some(0)),
        ]
    );
}

#[test]
fn an_empty_file_is_an_empty_configuration() {
    for text in ["", "# nothing\n", "service = []\n"] {
        assert_eq!(Document::read(text).unwrap().request(), Config::default());
    }
}

#[test]
fn every_fault_has_a_place_and_a_key() {
    for (text, wanted) in [
        (
            "wieght = 1",
            "f:1:1: wieght: unknown key, known are: service",
        ),
        (
            "service = 1",
            "f:1:11: service: an array of tables, [[service]], is due, not this integer",
        ),
        (
            "[service]\n",
            "f:1:1: service: an array of tables, [[service]], is due, not this table",
        ),
        ("service = [7]", "f:1:12: service: a table is due"),
        ("[[service]]\n", "f:1:1: service.address: missing"),
        (
            "[[service]]\naddress = 5",
            "f:2:11: service.address: a string is due, not this integer",
        ),
        (
            "[[service]]\naddress = \"tcp:1.2.3:80\"",
            "f:2:11: service.address: 1.2.3 is not an IPv4 address",
        ),
        (
            "[[service]]\naddress = \"tcp:1.2.3.4:70000\"",
            "f:2:11: service.address: 70000 is not a port number",
        ),
        (
            "[[service]]\naddress = \"tcp:1.2.3.4:80\"\nadress = 1",
            "f:3:1: service.adress: unknown key, known are: \
             address, scheduler, mode, timeout, announce, backend",
        ),
        (
            "[[service]]\naddress = \"tcp:1.2.3.4:80\"\naddress = \"tcp:1.2.3.4:81\"",
            "f:3:1: address: duplicate key",
        ),
        (
            "[[service]]\naddress = \"tcp:1.2.3.4:80\"\n[[service]]\naddress = \"tcp:1.2.3.4:80\"",
            "f:4:11: service.address: duplicate tcp:1.2.3.4:80",
        ),
    ] {
        assert_eq!(faults(text), [wanted], "{text}");
    }
}

#[test]
fn every_fault_inside_a_service_has_a_place_and_a_key() {
    for (line, wanted) in [
        (
            "scheduler = \"best\"",
            "f:3:13: service.scheduler: wrr or lc is due, not this string",
        ),
        (
            "mode = 1",
            "f:3:8: service.mode: nat or dr is due, not this integer",
        ),
        (
            "timeout = -1",
            "f:3:11: service.timeout: a number from 0 to 4294967295 is due, not this integer",
        ),
        (
            "timeout = 1.5",
            "f:3:11: service.timeout: a number from 0 to 4294967295 is due, not this float",
        ),
        (
            "announce = \"no\"",
            "f:3:12: service.announce: true or false is due, not this string",
        ),
        ("backend = [{}]", "f:3:12: service.backend.address: missing"),
        (
            "backend = [{ address = \"web1\" }]",
            "f:3:24: service.backend.address: web1 is not an IPv4 address",
        ),
        (
            "backend = [{ address = \"10.0.0.1\", wieght = 1 }]",
            "f:3:36: service.backend.wieght: unknown key, known are: address, weight",
        ),
        (
            "backend = [{ address = \"10.0.0.1\" }, { address = \"10.0.0.1:80\" }]",
            "f:3:50: service.backend.address: duplicate 10.0.0.1:80",
        ),
    ] {
        let text = format!("[[service]]\naddress = \"tcp:1.2.3.4:80\"\n{line}\n");
        assert_eq!(faults(&text), [wanted], "{line}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "x = 1\n[[service]]\nmode = \"x\"\n[[service]]\naddress = \"x\"\n";
    let places: Vec<_> = faults(text)
        .iter()
        .map(|fault| fault[..6].to_owned())
        .collect();
    assert_eq!(places, ["f:1:1:", "f:2:1:", "f:3:8:", "f:5:11"]);
}

#[test]
fn what_is_not_toml_has_a_place() {
    for text in [
        "[[service]",
        "a = ",
        "= 1",
        "a = \"",
        "\u{1}",
        "a = 1 b = 2",
    ] {
        let faults = faults(text);
        assert!(faults[0].starts_with("f:1:"), "{text}: {faults:?}");
    }
}

#[test]
fn an_attribute_of_the_request_has_a_place() {
    use smplb_nl::set::Step;
    let document = Document::read(GOOD).unwrap();
    let place = |outer, index, inner: Option<&'static str>| {
        let mut path = Path(vec![Step {
            name: outer,
            index: Some(index),
        }]);
        path.0.extend(inner.map(|name| Step { name, index: None }));
        let (span, key) = document.place_of(&path)?;
        Some(format!("{} {key}", Place::new("f", GOOD, span.start)))
    };
    for (outer, index, inner, wanted) in [
        (
            "service",
            0,
            Some("timeout"),
            Some("f:7:11 service.timeout"),
        ),
        ("service", 0, Some("addr"), Some("f:4:11 service.address")),
        ("service", 1, Some("mode"), Some("f:16:11 service.mode")),
        ("service", 1, None, Some("f:16:11 service.address")),
        ("service", 2, None, None),
        (
            "backend",
            0,
            Some("weight"),
            Some("f:11:12 service.backend.weight"),
        ),
        (
            "backend",
            1,
            Some("weight"),
            Some("f:13:13 service.backend.address"),
        ),
        (
            "backend",
            3,
            Some("addr"),
            Some("f:17:50 service.backend.address"),
        ),
        ("backend", 4, None, None),
        ("expect-generation", 0, None, None),
    ] {
        assert_eq!(place(outer, index, inner).as_deref(), wanted);
    }
}
