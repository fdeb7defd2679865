// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;

fn of(line: &str) -> Word {
    parse(line.as_bytes()).unwrap_or_else(|| panic!("{line:?} says nothing"))
}

fn percent(percent: f64) -> Word {
    Word {
        percent: Some(percent),
        ..Word::default()
    }
}

fn up(up: bool) -> Word {
    Word {
        up: Some(up),
        ..Word::default()
    }
}

fn admin(admin: Admin) -> Word {
    Word {
        admin: Some(admin),
        ..Word::default()
    }
}

#[test]
fn every_word_has_its_meaning() {
    assert_eq!(of("75%\n"), percent(0.75));
    assert_eq!(of("0%\n"), percent(0.0));
    assert_eq!(of("100%\n"), percent(1.0));
    assert_eq!(of("up\n"), up(true));
    for down in ["down", "fail", "stopped"] {
        assert_eq!(of(&format!("{down}\n")), up(false));
        assert_eq!(of(&format!("{down}#disk is full\n")), up(false));
        assert_eq!(of(&format!("{down} # 10% left, drain\n")), up(false));
    }
    assert_eq!(of("ready\n"), admin(Admin::Ready));
    assert_eq!(of("drain\n"), admin(Admin::Drain));
    assert_eq!(of("maint\n"), admin(Admin::Maint));
    assert_eq!(
        of("maxconn:30\n"),
        Word {
            max_connections: Some(30),
            ..Word::default()
        }
    );
}

#[test]
fn words_stand_together_in_any_order_and_case() {
    let all = Word {
        percent: Some(0.5),
        admin: Some(Admin::Ready),
        up: Some(true),
        max_connections: Some(7),
    };
    assert_eq!(of("up ready 50% maxconn:7\n"), all);
    assert_eq!(of("\t50%,,MaxConn:7, UP\tReady \r\n"), all);
    assert_eq!(of("10% 50% down up maxconn:9 maxconn:7 maint ready\n"), all);
}

#[test]
fn unknown_words_are_left_out() {
    assert_eq!(of("load=3 50% hello\n"), percent(0.5));
    for line in [
        "hello\n", "\n", "  ,\t\n", "# up\n", "%\n", "-5%\n", "5.5%\n", "5%%\n", "75\n",
    ] {
        assert_eq!(parse(line.as_bytes()), None, "{line:?}");
    }
    for line in [
        "maxconn:\n",
        "maxconn: 5\n",
        "maxconn:-1\n",
        "maxconn:5x\n",
        "upp\n",
        "u p\n",
    ] {
        assert_eq!(parse(line.as_bytes()), None, "{line:?}");
    }
}

#[test]
fn numbers_are_bounded() {
    assert_eq!(of("250%\n"), percent(1.0));
    assert_eq!(of("99999999999999999999%\n"), percent(1.0));
    let most = of("maxconn:99999999999999999999\n").max_connections;
    assert_eq!(most, Some(u32::MAX));
}

#[test]
fn a_line_must_end() {
    assert_eq!(parse(b"75%"), None);
    assert_eq!(parse(b""), None);
    assert_eq!(of("75%\r"), percent(0.75));
    assert_eq!(of("75%\ndrain\n"), percent(0.75));
    let mut long = b"up ".repeat(LONGEST);
    long.push(b'\n');
    assert_eq!(parse(&long), None);
}

#[test]
fn octets_that_are_no_text_do_no_harm() {
    for octet in 0..=255_u8 {
        let line = [
            octet, octet, b' ', b'5', b'%', octet, b' ', b'u', b'p', b'\n',
        ];
        let word = parse(&line);
        let ends = matches!(octet, b'\n' | b'\r' | b'#');
        assert_eq!(word.is_none(), ends, "octet {octet}");
    }
}
