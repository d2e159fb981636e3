/*
 * Hands events over. Decides nothing about them: a refused event is reported with its place and the
 * rest goes on, and a failure of the store ends it, because then nobody knows what was taken.
 */
#include "hosts/cli/answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

int
answers_submit(struct host *host, const struct input_event *events, size_t count,
               struct answers *answers)
{
    struct prov_error err = { .size = sizeof(err) };
    struct prov_event batch[ANSWERS_BATCH] = { { .size = 0 } };

    answers->count = 0;
    for (size_t i = 0; i < count; i++) {
        batch[i] = (struct prov_event){ .size = sizeof(batch[i]), .json = events[i].json };
        batch[i].length = events[i].length;
        answers->answers[i] = (struct prov_answer){ .size = sizeof(answers->answers[i]) };
        answers->events[i] = events[i];
    }
    if (host->api.submit(host->connector, batch, count, answers->answers, &err)) {
        complain("it is not known whether %s %zu and those after it were accepted; submit the same "
                 "events again, none is taken twice",
                 answers->what, events[0].line);
        return host_failed("cannot submit", &err);
    }
    answers->count = count;
    for (size_t i = 0; i < count; i++) {
        answers->accepted += answers->answers[i].status == PROV_ANSWER_ACCEPTED;
        answers->refused += answers->answers[i].status != PROV_ANSWER_ACCEPTED;
        answers->duplicates +=
            answers->answers[i].status == PROV_ANSWER_ACCEPTED && answers->answers[i].duplicate;
    }
    return CODE_DONE;
}

static const char *
answer_word(const struct prov_answer *answer)
{
    if (answer->status == PROV_ANSWER_ACCEPTED)
        return answer->duplicate ? "accepted before" : "accepted";
    return answer->status == PROV_ANSWER_REFUSED ? "refused" : "not known";
}

static void
print_json(const struct answers *answers, size_t index)
{
    const struct prov_answer *answer = &answers->answers[index];
    struct json_object *line = json_object_new_object();

    reply_put(line, answers->what, json_object_new_int64((int64_t)answers->events[index].line));
    reply_put_text(line, "answer",
                   answer->status == PROV_ANSWER_ACCEPTED ? "accepted" : answer_word(answer));
    if (answer->status == PROV_ANSWER_ACCEPTED) {
        reply_put(line, "duplicate", json_object_new_boolean(answer->duplicate != 0));
        reply_put(line, "version", json_object_new_int64(answer->version));
    } else {
        reply_put_text(line, "reason", answer->error.text);
    }
    host_print_json(line);
    json_object_put(line);
}

void
answers_print(const struct answers *answers, bool json)
{
    for (size_t i = 0; i < answers->count; i++) {
        const struct prov_answer *answer = &answers->answers[i];
        bool accepted = answer->status == PROV_ANSWER_ACCEPTED;

        if (json) {
            print_json(answers, i);
            continue;
        }
        printf("%s %zu  ", answers->what, answers->events[i].line);
        screen_tone(stdout, accepted ? TONE_GOOD : TONE_BAD, answer_word(answer));
        if (accepted) {
            printf("  version %" PRId64 "\n", answer->version);
        } else {
            fputs("  ", stdout);
            screen_text(stdout, answer->error.text);
            putchar('\n');
        }
    }
}

void
answers_complain(const struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++) {
        const struct prov_answer *answer = &answers->answers[i];

        if (answer->status != PROV_ANSWER_ACCEPTED)
            complain("%s:%zu: %s: %s", answers->file, answers->events[i].line, answer_word(answer),
                     answer->error.text);
    }
}

void
answers_count(const struct answers *answers, const char *after)
{
    printf("%" PRIu64 " accepted", answers->accepted);
    if (answers->duplicates)
        printf(" (%" PRIu64 " of them before)", answers->duplicates);
    printf(", %" PRIu64 " refused%s", answers->refused, after);
}
