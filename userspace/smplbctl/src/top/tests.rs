// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl top` against a kernel that plays back answers, and a terminal in memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::rc::Rc;
use std::thread;

use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use smplb_nl::fake::Fake;
use smplb_nl::{
    Backend, Command, Drop, DropReason, Engine, Generation, Mode, Scheduler, Service, ServiceDef,
    Stats,
};

use super::frame::Frame;
use super::view::{Next, Pane, View};
use super::*;
use crate::testing::{documented, keys_of, Bench};

/// A port on which nobody tells metrics.
const NOBODY: &str = "--metrics http://127.0.0.1:1/";

fn service(port: u16, connections: u64) -> Service {
    Service {
        protocol: Some(6),
        addr: Some(Ipv4Addr::new(192, 0, 2, 1)),
        port: Some(port),
        scheduler: Some(Scheduler::Wrr),
        mode: Some(Mode::Nat),
        packets: Some(connections * 10),
        bytes: Some(connections * 1000),
        connections: Some(connections),
        ..Service::default()
    }
}

fn backend(service_port: u16, host: u8, weight: u32, connections: u64) -> Backend {
    let service = service(service_port, 0);
    Backend {
        service: Some(ServiceDef {
            protocol: service.protocol,
            addr: service.addr,
            port: service.port,
            ..ServiceDef::default()
        }),
        addr: Some(Ipv4Addr::new(10, 0, 0, host)),
        port: Some(8080),
        weight: Some(weight),
        active: Some(u64::from(host)),
        connections: Some(connections),
        packets: Some(connections * 10),
        bytes: Some(connections * 1000),
        ..Backend::default()
    }
}

fn engine(cpu: u32, rounds: u64) -> Engine {
    Engine {
        cpu: Some(cpu),
        ports: Some(2),
        isolated: Some(1),
        rounds: Some(rounds),
        idle_rounds: Some(rounds / 4),
        time: Some(rounds * 1000),
        busy_time: Some(rounds * 500),
        packets: Some(rounds),
        ..Engine::default()
    }
}

/// One look at the switch, after `n` hundred connections.
fn play(kernel: &mut Fake, n: u64) {
    let generation = Generation {
        active: Some(40 + n),
        standby: Some(39 + n),
        flips: Some(3),
        ..Generation::default()
    };
    kernel.reply(Command::GenerationGet, &generation);
    kernel.list(
        Command::ServiceGet,
        &[service(80, n * 100), service(443, 0)],
    );
    let backends = [
        backend(80, 11, 3000, n * 75),
        backend(80, 12, 1000, n * 25),
        backend(443, 11, 0, 0),
    ];
    kernel.list(Command::BackendGet, &backends);
    kernel.list(
        Command::EngineGet,
        &[engine(3, n * 1000), engine(2, n * 2000)],
    );
    let stats = Stats {
        drop: [
            (DropReason::NoRoute, 5),
            (DropReason::NoBackend, n * 50),
            (DropReason::Fragment, 0),
        ]
        .map(|(reason, packets)| Drop {
            reason: Some(reason),
            packets: Some(packets),
        })
        .to_vec(),
        connections: Some(12),
        connections_max: Some(65_536),
        ..Stats::default()
    };
    kernel.reply(Command::StatsGet, &stats);
}

fn watch(looks: impl IntoIterator<Item = u64>) -> Watch<Rc<RefCell<Fake>>> {
    let kernel = Rc::new(RefCell::new(Fake::default()));
    for n in looks {
        play(&mut kernel.borrow_mut(), n);
    }
    let nobody = "http://127.0.0.1:1/".parse().unwrap();
    Watch::new(
        Client::over(kernel).unwrap(),
        nobody,
        Duration::from_millis(10),
    )
}

/// The frame of two looks that are 2 s apart.
fn frame() -> Frame {
    let mut watch = watch([1, 2]);
    watch.look().unwrap();
    watch.look().unwrap();
    watch.seen[0].at = Duration::from_secs(1);
    watch.seen[1].at = Duration::from_secs(3);
    watch.frame()
}

#[test]
fn shares_and_rates_are_of_what_came_between_two_looks() {
    let frame = frame();
    let first = &frame.backends[0];
    assert_eq!((first.wanted, first.got), (Some(0.75), Some(0.75)));
    assert_eq!(
        (first.connections, first.packets, first.bytes),
        (Some(37.5), Some(375.0), Some(37_500.0))
    );
    let drained = &frame.backends[2];
    assert_eq!(
        (drained.wanted, drained.got),
        (None, None),
        "a part of nothing"
    );
    assert_eq!(drained.connections, Some(0.0));
    let web = &frame.services[0];
    assert_eq!((web.backends, web.weighted, web.active), (2, 2, 23));
    assert_eq!(web.connections, Some(50.0));
    assert_eq!(
        (frame.services[1].backends, frame.services[1].weighted),
        (1, 0)
    );
    let engine = &frame.engines[0];
    assert_eq!(
        (engine.cpu, engine.busy, engine.busy_rounds),
        (2, Some(0.5), Some(0.75))
    );
    assert_eq!(frame.generation, Some(42));
    let drops: Vec<_> = frame
        .drops
        .iter()
        .map(|d| (d.reason, d.packets, d.total))
        .collect();
    let wanted = [
        (DropReason::NoBackend, Some(25.0), 100),
        (DropReason::NoRoute, Some(0.0), 5),
    ];
    assert_eq!(drops, wanted);
}

#[test]
fn what_was_not_there_before_has_no_rate() {
    let mut watch = watch([1, 2]);
    watch.look().unwrap();
    watch.look().unwrap();
    watch.seen[0].backends.pop_first();
    // A counter that is less than before belongs to another back-end of that name.
    if let Some(other) = watch.seen[0].backends.values_mut().next() {
        other.connections = Some(1_000_000);
    }
    let frame = watch.frame();
    for row in &frame.backends[..2] {
        assert_eq!((row.got, row.connections), (None, None));
    }
    assert_eq!(frame.backends[0].wanted, Some(0.75));
}

#[test]
fn snapshots_are_kept_for_the_window() {
    let mut watch = watch(1..=9);
    for n in 0..9 {
        // Half a second more or less, so that no look falls on the edge of the window.
        let at = Duration::from_secs(n) + Duration::from_millis(if n == 8 { 500 } else { 0 });
        watch.start = Instant::now() - at;
        watch.look().unwrap();
    }
    // Those of 3 to 7 seconds, and of 8.5.
    assert_eq!(watch.seen.len(), 6);
    let seconds = watch.frame().seconds;
    assert!((5.4..5.6).contains(&seconds), "{seconds}");
}

#[test]
fn a_frame_as_text() {
    assert_eq!(
        plain::text(&frame()),
        "\
generation 42 (3 flips)  connections 12 of 65536  no smplbd  over 2.0s

SERVICE            SCHED  MODE  UP/ALL  ACTIVE  CONN/s  PKT/s  BYTE/s
tcp:192.0.2.1:80   wrr    nat      2/2      23      50    500   50.0k
tcp:192.0.2.1:443  wrr    nat      0/1      11       0      0       0

BACKEND         WEIGHT   WANT    GOT  ACTIVE  CONN/s  PKT/s  BYTE/s  UTIL  AGE  STATE  SERVICE
10.0.0.11:8080    3000  75.0%  75.0%      11      38    375   37.5k     -    -  -      tcp:192.0.2.1:80
10.0.0.12:8080    1000  25.0%  25.0%      12      12    125   12.5k     -    -  -      tcp:192.0.2.1:80
10.0.0.11:8080       0      -      -      11       0      0       0     -    -  -      tcp:192.0.2.1:443

CPU   BUSY  PKT/s  ROUNDS  PORTS  ISOLATED
  2  50.0%  1.00k   75.0%      2  yes
  3  50.0%    500   75.0%      2  yes

DROPPED FOR  PKT/s  TOTAL
no-backend      25    100
no-route         0      5
"
    );
}

#[test]
fn batches() {
    let mut bench = Bench::default();
    for n in 1..=3 {
        play(&mut bench.kernel(), n);
    }
    let text = bench
        .run(&format!("top --batch 2 -i 0.01 {NOBODY}"))
        .unwrap();
    let heads: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("generation"))
        .collect();
    assert_eq!(heads.len(), 2, "{text}");
    assert!(heads[0].starts_with("generation 42 ") && heads[1].starts_with("generation 43 "));
    assert!(
        text.contains("\n\ngeneration 43 "),
        "frames stand apart: {text}"
    );
}

#[test]
fn json_is_one_frame() {
    let mut bench = Bench::default();
    for n in 1..=2 {
        play(&mut bench.kernel(), n);
    }
    let json = bench.run(&format!("-j top -i 0.01 {NOBODY}")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["load"], false);
    assert_eq!(value["backends"][1]["backend"], "10.0.0.12:8080");
    assert_eq!(value["backends"][1]["got"], 0.25);
    assert_eq!(value["services"][0]["service"], "tcp:192.0.2.1:80");
    assert_eq!(value["drops"][0]["reason"], "no-backend");
    let inner = |key: &str| keys_of(&value[key].to_string());
    let mut keys = keys_of(&json);
    for list in ["services", "backends", "engines", "drops"] {
        keys.extend(inner(list));
    }
    keys.sort();
    assert_eq!(keys, documented(AFTER));
}

#[test]
fn the_load_that_smplbd_tells_is_shown() {
    let labels = "local_address=\"192.0.2.1\",local_port=\"80\",remote_address=\"10.0.0.12\",\
                  remote_port=\"8080\",proto=\"tcp\"";
    let page = format!(
        "smplb_backend_utilization{{{labels}}} 0.625\nsmplb_backend_report_age_seconds{{{labels}}} 75\n\
         smplb_backend_state{{{labels}}} 2\n"
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            assert!(stream.read(&mut [0; 512]).unwrap() > 0);
            write!(stream, "HTTP/1.0 200 OK\r\n\r\n{page}").unwrap();
        }
    });
    let mut bench = Bench::default();
    for n in 1..=2 {
        play(&mut bench.kernel(), n);
    }
    let line = format!("top --once -i 0.01 --metrics http://127.0.0.1:{port}/metrics");
    let text = bench.run(&line).unwrap();
    assert!(!text.contains("no smplbd"), "{text}");
    let row = text
        .lines()
        .find(|line| line.starts_with("10.0.0.12"))
        .unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells[8..11], ["62.5%", "75s", "drain"], "{text}");
}

#[test]
fn a_kernel_that_refuses_is_told() {
    let mut bench = Bench::default();
    bench.kernel().refuse(1, "Operation not permitted", None);
    let error = bench.run("top --once").unwrap_err();
    assert_eq!(
        error,
        "cannot watch the switch: Operation not permitted \
         (needs CAP_NET_ADMIN in this network namespace; try as root)"
    );
}

/// The screen as lines.
fn screen(frame: &Frame, view: &View, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|screen| draw::draw(screen, frame, view))
        .unwrap();
    lines(&terminal)
}

fn lines(terminal: &Terminal<TestBackend>) -> Vec<String> {
    let buffer = terminal.backend().buffer();
    let width = usize::from(buffer.area.width);
    let rows = buffer.content().chunks(width);
    rows.map(|row| {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned()
    })
    .collect()
}

#[test]
fn a_wide_screen_has_all_columns() {
    let text = screen(&frame(), &View::default(), 120, 24).join("\n");
    for wanted in [
        "generation 42 (3 flips)  connections 12 of 65536  no smplbd",
        " Services 2 ",
        "tcp:192.0.2.1:80   wrr    nat      2/2      23      50    500   50.0k",
        " Back-ends 3 ",
        "10.0.0.12:8080    1000  25.0%  25.0%      12      12    125   12.5k     -    -  -      tcp:192.0.2.1:80",
        "  2  50.0%  1.00k   75.0%      2  yes",
        "no-backend      25    100",
        "q quit  ? help",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn sixty_columns_have_what_matters() {
    let lines = screen(&frame(), &View::default(), 60, 24);
    let text = lines.join("\n");
    let heading = lines
        .iter()
        .find(|line| line.starts_with("BACKEND"))
        .unwrap();
    let columns: Vec<_> = heading.split_whitespace().collect();
    let wanted = ["BACKEND", "WANT", "GOT", "ACTIVE", "PKT/s", "UTIL", "AGE"];
    assert_eq!(columns, wanted, "{text}");
    // The bottom lists stand side by side, in 29 columns each.
    assert!(text.contains("no-backend      25    100"), "{text}");
    assert!(text.contains("BUSY"), "{text}");
}

#[test]
fn a_small_screen_has_the_chosen_list() {
    let mut view = View::default();
    let text = screen(&frame(), &view, 60, 8).join("\n");
    assert!(
        text.contains("Back-ends") && !text.contains("Services"),
        "{text}"
    );
    press(&mut view, KeyCode::BackTab);
    let text = screen(&frame(), &view, 60, 8).join("\n");
    assert!(
        text.contains("Services") && !text.contains("Back-ends"),
        "{text}"
    );
    // However small it is, it is drawn.
    for (width, height) in [(1, 1), (3, 2), (20, 4), (10, 30)] {
        view.help = !view.help;
        assert_eq!(
            screen(&frame(), &view, width, height).len(),
            usize::from(height)
        );
    }
}

fn press(view: &mut View, code: KeyCode) -> Next {
    view.key(KeyEvent::from(code), &frame())
}

fn names(view: &View) -> Vec<String> {
    let rows = view.backends(&frame());
    rows.iter()
        .map(|row| format!("{}/{}", row.backend.ip(), row.service.port))
        .collect()
}

#[test]
fn sorting() {
    let mut view = View::default();
    assert_eq!(
        names(&view),
        ["10.0.0.11/80", "10.0.0.12/80", "10.0.0.11/443"]
    );
    // By weight, by the share wanted, by the share got, by active connections.
    for _ in 0..4 {
        press(&mut view, KeyCode::Char('s'));
    }
    assert_eq!(
        names(&view),
        ["10.0.0.12/80", "10.0.0.11/80", "10.0.0.11/443"]
    );
    press(&mut view, KeyCode::Char('r'));
    assert_eq!(names(&view)[2], "10.0.0.12/80");
    let text = screen(&frame(), &view, 80, 24).join("\n");
    assert!(text.contains(" Back-ends 3 by ACTIVE, reversed "), "{text}");
    for _ in 0..4 {
        press(&mut view, KeyCode::Char('S'));
    }
    assert_eq!(view.list(Pane::Backends).sort, None);
    press(&mut view, KeyCode::Char('S'));
    assert_eq!(
        view.list(Pane::Backends).sort,
        Some(9),
        "the last column of numbers"
    );
}

#[test]
fn filtering() {
    let mut view = View::default();
    for c in "/:443q".chars() {
        assert_eq!(press(&mut view, KeyCode::Char(c)), Next::Stay);
    }
    assert!(screen(&frame(), &view, 60, 24).contains(&"/:443q_".to_owned()));
    press(&mut view, KeyCode::Backspace);
    press(&mut view, KeyCode::Enter);
    assert_eq!(names(&view), ["10.0.0.11/443"]);
    assert_eq!(view.services(&frame()).len(), 1);
    let text = screen(&frame(), &view, 60, 24).join("\n");
    assert!(
        text.contains(" Back-ends 1 of 3 ") && text.contains("/:443  Esc: all"),
        "{text}"
    );
    press(&mut view, KeyCode::Esc);
    assert_eq!(names(&view).len(), 3);
}

#[test]
fn a_service_leads_to_its_backends() {
    let mut view = View::default();
    press(&mut view, KeyCode::BackTab);
    assert_eq!(view.pane, Pane::Services);
    for _ in 0..3 {
        press(&mut view, KeyCode::Down);
    }
    assert_eq!(view.list(Pane::Services).row, 1, "the last");
    press(&mut view, KeyCode::Enter);
    assert_eq!(view.pane, Pane::Backends);
    assert_eq!(names(&view), ["10.0.0.11/443"]);
}

#[test]
fn a_prefix_is_another_service() {
    // tcp:192.0.2.1:80 is the beginning of tcp:192.0.2.1:8080.
    let mut both = frame();
    let mut other = both.backends[2].clone();
    other.service.port = 8080;
    both.backends.push(other);
    let mut view = View::default();
    view.filter = "tcp:192.0.2.1:80".to_owned();
    assert_eq!(view.backends(&both).len(), 2);
}

#[test]
fn help_comes_and_goes() {
    let mut view = View::default();
    press(&mut view, KeyCode::Char('?'));
    let text = screen(&frame(), &view, 60, 24).join("\n");
    assert!(text.contains("part of its new connections"), "{text}");
    assert_eq!(press(&mut view, KeyCode::Char('q')), Next::Stay);
    assert!(!view.help);
    assert_eq!(press(&mut view, KeyCode::Char('q')), Next::Leave);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(view.key(interrupt, &frame()), Next::Leave);
}

/// Keys in turn, each after the time until the next frame has passed.
struct Script(VecDeque<Option<KeyCode>>);

impl live::Keys for Script {
    fn next(&mut self, within: Duration) -> io::Result<Option<Event>> {
        let key = self.0.pop_front().unwrap_or(Some(KeyCode::Char('q')));
        if key.is_none() {
            thread::sleep(within);
        }
        Ok(key.map(|code| Event::Key(KeyEvent::from(code))))
    }
}

#[test]
fn frames_come_until_somebody_leaves_and_stay_when_frozen() {
    let freeze = Some(KeyCode::Char('p'));
    for (keys, generation) in [
        (vec![None, None], "generation 43 "),
        (vec![None, freeze, None], "FROZEN generation 42 "),
        (vec![None, freeze, None, freeze], "generation 43 "),
    ] {
        let mut watch = watch(1..=3);
        watch.look().unwrap();
        let mut terminal = Terminal::new(TestBackend::new(60, 20)).unwrap();
        let mut keys = Script(keys.into());
        live::follow(
            &mut terminal,
            &mut keys,
            &mut watch,
            Duration::from_millis(20),
        )
        .unwrap();
        let first = lines(&terminal).remove(0);
        assert!(first.starts_with(generation), "{first}");
    }
}
