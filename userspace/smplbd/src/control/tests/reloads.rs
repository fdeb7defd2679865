// SPDX-License-Identifier: MIT OR Apache-2.0
//! Other configurations while the loop turns.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_learned_survives_and_what_went_is_deleted() {
    let both = &[(1, 100), (2, 100)];
    let three = &[(1, 100), (2, 100), (3, 100)];
    let bench = Bench::new(&file(three), switch(&[(1, 1000), (2, 1000), (3, 1000)]));
    for _ in 0..60 {
        bench.report(1, 500.0, 0.3);
        bench.report(2, 500.0, 0.8);
        bench.report(3, 500.0, 0.8);
        seconds(1.0).await;
    }
    let followers = bench.followers.lock().unwrap().len();
    let ratio =
        |bench: &Bench| f64::from(bench.weight(web(), 1)) / f64::from(bench.weight(web(), 2));
    let before = ratio(&bench);
    assert!(before > 1.5, "{before}");

    bench.reload(&file(both)).await;
    seconds(0.5).await;
    assert!(bench
        .switch
        .inner()
        .state
        .backend(web(), server(3))
        .is_none());
    let after = ratio(&bench);
    assert!((after / before - 1.0).abs() < 0.15, "{before} {after}");
    assert_eq!(bench.followers.lock().unwrap().len(), followers);

    // The same again changes nothing, however often.
    bench.report(1, 500.0, 0.3);
    bench.report(2, 500.0, 0.8);
    seconds(2.0).await;
    let (before, publications) = (ratio(&bench), bench.publications());
    for turn in 0..1000 {
        bench.reload(&file(both)).await;
        seconds(0.01).await;
        if turn % 100 == 0 {
            // As they reported all the time: it is no news.
            bench.report(1, 500.0, 0.3);
            bench.report(2, 500.0, 0.8);
        }
    }
    assert_eq!(
        (ratio(&bench), bench.publications()),
        (before, publications)
    );
    assert_eq!(bench.followers.lock().unwrap().len(), followers);
}

#[tokio::test(start_paused = true)]
async fn a_new_server_is_added_and_an_own_service_deleted() {
    let bench = Bench::new(&file(&[(1, 100)]), switch(&[(1, 1000)]));
    seconds(1.0).await;
    bench.reload(&file(&[(1, 100), (2, 100)])).await;
    seconds(0.5).await;
    assert!(bench.weight(web(), 2) > 0);
    let foreign = ServiceKey { port: 81, ..web() };
    bench.switch.meddle(Change::AddService(
        foreign,
        crate::switch::Definition::default(),
    ));
    bench.reload("").await;
    seconds(2.0).await;
    let services: Vec<_> = bench
        .switch
        .inner()
        .state
        .services
        .keys()
        .copied()
        .collect();
    assert_eq!(services, [foreign]);
    // Somebody else makes it again: it is his now.
    bench.switch.meddle(Change::AddService(
        web(),
        crate::switch::Definition::default(),
    ));
    seconds(3.0).await;
    assert_eq!(bench.switch.inner().state.services.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_weight_of_zero_drains() {
    let bench = Bench::new(
        &file(&[(1, 100), (2, 100)]),
        switch(&[(1, 1000), (2, 1000)]),
    );
    seconds(1.0).await;
    bench.reload(&file(&[(1, 100), (2, 0)])).await;
    seconds(1.0).await;
    assert_eq!(bench.weight(web(), 2), 0);
    assert!(bench.weight(web(), 1) > 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_no_longer_checked_is_well_again() {
    let text = file(&[(1, 100), (2, 100), (3, 100)]);
    let bench = Bench::new(&text, switch(&[(1, 1000), (2, 1000), (3, 1000)]));
    seconds(0.5).await;
    for last in 1..=3 {
        bench.health(last, last != 1);
    }
    seconds(1.0).await;
    assert_eq!(bench.weight(web(), 1), 0);
    bench
        .reload(&text.replace("[service.check]\ntype = 'tcp'\n", ""))
        .await;
    seconds(1.0).await;
    assert!(bench.weight(web(), 1) > 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_reload_is_counted_and_changes_nothing() {
    let bench = Bench::new(&file(&[(1, 100)]), switch(&[(1, 1000)]));
    bench.orders.send(Command::Refused).await.unwrap();
    seconds(2.0).await;
    assert!(!bench.board.look().counters.reload_good);
    assert_eq!(bench.publications(), 0);
    bench.reload(&file(&[(1, 100)])).await;
    seconds(2.0).await;
    assert!(bench.board.look().counters.reload_good);
}
