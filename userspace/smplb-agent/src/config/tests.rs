// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn refusal(text: &str) -> String {
    let message = Config::parse(text).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn nothing_need_be_said() {
    let config = Config::parse("").unwrap();
    assert_eq!(config.listen, None);
    assert_eq!(config.interval, Duration::from_secs(1));
    assert_eq!(config.min_interval, Duration::from_millis(100));
    assert_eq!(config.sample, None);
    assert_eq!(config.max_streams, 64);
    assert!(config.sources.is_empty() && config.labels.is_empty() && config.tls.is_none());
}

#[test]
fn everything_can_be_said() {
    let config = Config::parse(
        r#"
        listen = "127.0.0.1:9000"
        log = "info,h2=warn"
        format = "json"
        interval = 2
        min-interval = 0.5
        sample = 0.5
        max-streams = 3
        labels = ["gpu", "ssd"]
        [tls]
        certificate = "a.pem"
        key = "a.key"
        client-ca = "ca.pem"
        [system]
        cgroup = "/system.slice/nginx.service"
        memory = false
        [agent-check]
        listen = "[::]:9473"
        [[source]]
        type = "nginx"
        url = "http://127.0.0.1/status"
        [[source]]
        type = "file"
        name = "mine"
        path = "/run/load"
        every = 5
        "#,
    )
    .unwrap();
    assert_eq!(config.listen, Some("127.0.0.1:9000".parse().unwrap()));
    assert_eq!(config.format, Format::Json);
    assert_eq!(config.interval, Duration::from_secs(2));
    assert_eq!(config.sample, Some(Duration::from_millis(500)));
    assert_eq!(config.labels, ["gpu", "ssd"]);
    assert_eq!(config.tls.unwrap().client_ca, Some("ca.pem".into()));
    assert!(config.system.cpu && !config.system.memory);
    let names: Vec<_> = config
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    assert_eq!(names, ["1 (nginx)", "mine"]);
    assert_eq!(config.sources[0].every, Duration::from_secs(1));
    assert_eq!(config.sources[1].every, Duration::from_secs(5));
    assert_eq!(config.agent_check.unwrap().listen.port(), 9473);
}

#[test]
fn what_is_wrong_is_told_with_its_key() {
    for (text, words) in [
        ("\nlisten = ", &["line 2"][..]),
        (
            "listn = \"[::]:1\"",
            &["unknown field `listn`", "expected one of"],
        ),
        ("listen = \"9470\"", &["listen: `9470` is no ADDRESS:PORT"]),
        ("interval = 0", &["interval: must be 0.01 to 3600 seconds"]),
        ("interval = -1", &["interval: -1 is no time"]),
        ("interval = \"1s\"", &["interval: ", "expected f64"]),
        ("interval = 0.05", &["interval: is less than min-interval"]),
        ("sample = 0.05", &["sample: is less than min-interval"]),
        ("max-streams = 0", &["max-streams: must be 1 to 1024"]),
        ("labels = [\"a b\"]", &["labels: `a b` is no label"]),
        ("log = \"loud=very\"", &["log: "]),
        ("format = \"xml\"", &["format: ", "`text` or `json`"]),
        (
            "[tls]\nkey = \"k\"",
            &["tls", "missing field `certificate`"],
        ),
        ("[system]\ncgroup = \"nginx\"", &["system.cgroup: "]),
        ("[agent-check]", &["agent-check", "listen"]),
    ] {
        let message = refusal(text);
        for word in words {
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}

#[test]
fn a_wrong_source_is_named() {
    for (keys, words) in [
        (
            "",
            &["source 1: type", "nginx, prometheus, file or command"][..],
        ),
        ("type = \"apache\"", &["source 1: type", "`apache`"]),
        (
            "type = \"nginx\"",
            &["source 1 (nginx)", "missing field `url`"],
        ),
        (
            "type = \"nginx\"\nurl = \"https://x/\"",
            &["source 1 (nginx)", "url", "http://"],
        ),
        (
            "type = \"nginx\"\nurl = \"http://x/\"\npath = \"x\"",
            &["source 1 (nginx)", "`path`"],
        ),
        (
            "type = \"file\"\npath = \"x\"\ntimeout = 0",
            &["source 1 (file): timeout"],
        ),
        (
            "type = \"file\"\npath = \"x\"\nevery = \"x\"",
            &["source 1 (file): every"],
        ),
        (
            "type = \"file\"\npath = \"x\"\nfield = \"load\"",
            &["source 1 (file): field", "rps"],
        ),
        (
            "type = \"command\"\ncommand = []",
            &["source 1 (command): command"],
        ),
        (
            "type = \"command\"\ncommand = \"x\"",
            &["source 1 (command): command"],
        ),
        (
            "type = \"prometheus\"\nurl = \"http://x/\"",
            &["source 1 (prometheus)", "metric"],
        ),
        (
            "type = \"prometheus\"\nurl = \"http://x/\"\n[[source.metric]]\nname = \"a\"\n\
             field = \"rps\"\nrate = true\nper = \"b\"",
            &["source 1 (prometheus): metric a", "rate", "per"],
        ),
    ] {
        let message = refusal(&format!("[[source]]\n{keys}"));
        for word in words {
            assert!(message.contains(word), "{keys}: {message}");
        }
    }
}

#[test]
fn a_figure_comes_from_one_place() {
    let nginx = "[[source]]\ntype = \"nginx\"\nurl = \"http://x/\"\n";
    let file = "[[source]]\ntype = \"file\"\npath = \"x\"\nfield = \"rps\"\n";
    let message = refusal(&format!("{nginx}{file}"));
    assert!(
        message.contains("source 2 (file): rps comes from another place"),
        "{message}"
    );
}

#[test]
fn the_example_is_good() {
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../packaging/smplb-agent.toml"
    );
    let text = fs::read_to_string(example).unwrap();
    Config::parse(&text).unwrap();
    // Every line that is switched off must be good, too: take the comment signs off `#key = …`
    // and `#[table]`.
    let on: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = Config::parse(&on).unwrap();
    assert!(config.tls.is_some() && config.agent_check.is_some());
    let kinds: Vec<_> = config
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}
