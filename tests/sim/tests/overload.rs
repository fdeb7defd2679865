// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole site is overloaded: nobody has room, so no share moves (requirement R8).

use smplb_sim::experiment::goals::{settings, FOLLOWERS};
use smplb_sim::experiment::table::all;
use smplb_sim::experiment::Size;
use smplb_sim::measure::series;
use smplb_sim::policy::{Feedback, Follow};

#[test]
fn shares_are_frozen() {
    let case = all(Size::Quick)
        .into_iter()
        .find(|case| case.name.contains("overloaded"))
        .unwrap();
    for (name, algorithm) in FOLLOWERS {
        let mut follow = Follow::equal(Feedback::new(settings(algorithm)), case.speeds.len());
        case.scenario.run(&mut follow);
        assert!(follow.view(case.scenario.seconds).overloaded, "{name}");
        for server in 0..case.speeds.len() {
            let shares: Vec<_> = (190..300)
                .map(|second| follow.share_at(server, f64::from(second)))
                .collect();
            let swing = series::swing(&shares);
            assert!(swing <= 0.05, "{name}, server {server}: {swing}");
        }
    }
}
