//! Whom users who are away have answered: somebody would hear the same with each mail, or after each restart of the server.

use super::*;

const DAY_S: i64 = 86_400;

#[test]
fn an_answer_holds_for_its_days_and_until_the_user_is_away_anew() {
    on_each(async |directory, _| {
        let anna = address("anna@example.test");
        let new = |address| NewUser {
            address,
            password: None,
            name: String::new(),
            quota_bytes: None,
            groups: Vec::new(),
            enabled: true,
        };
        directory
            .add_domain(Domain::new(anna.domain().clone()), "test")
            .await
            .unwrap();
        let owner = directory.add_user(new(anna.clone()), "test").await.unwrap().owner;
        let (ivan, now) = (address("Ivan@other.test"), 20_000 * DAY_S);
        let answered =
            async |to: &str, now| directory.is_answered(owner, &address(to), 7, now).await.unwrap();
        assert!(!answered("ivan@other.test", now).await);
        directory.note_answer(owner, &ivan, 7, now).await.unwrap();
        assert!(answered("Ivan@other.test", now + 7 * DAY_S - 1).await);
        assert!(!answered("Ivan@other.test", now + 7 * DAY_S).await);
        assert!(!answered("olga@other.test", now).await);
        // What is long ago goes with the next answer.
        let olga = address("olga@other.test");
        directory
            .note_answer(owner, &olga, 7, now + 10 * DAY_S)
            .await
            .unwrap();
        assert!(!answered("Ivan@other.test", now).await);
        assert!(answered("olga@other.test", now + 10 * DAY_S).await);
        let mut user = directory.user(&anna).await.unwrap().unwrap();
        user.vacation.enabled = true;
        user.vacation.text = "Away again".to_owned();
        directory.set_user(user, "test").await.unwrap();
        assert!(!answered("olga@other.test", now + 10 * DAY_S).await);
    });
}
