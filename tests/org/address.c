/* State and country picklists (3.3), for who has them switched on. The two fields of text then hold the
 * integration value, here the full name as in a new org, and two more hold the codes. What a write of one makes of
 * the other is "State and Country/Territory Picklist Field-Syncing Logic" of Salesforce Help; the words of the
 * refusals are as captured, but for that of the mismatch and of a code, whose wording is unsure. */
#include "tests/org/address.h"

#include <string.h>
#include <strings.h>

struct place {
    const char *country; /* of a state: the code of its country */
    const char *code, *name;
};

/* A few of the list. Most countries have no states in it: Germany has none. */
static const struct place countries[] = {
    { NULL, "AT", "Austria" },        { NULL, "AU", "Australia" }, { NULL, "BE", "Belgium" },
    { NULL, "BR", "Brazil" },         { NULL, "CA", "Canada" },    { NULL, "CH", "Switzerland" },
    { NULL, "DE", "Germany" },        { NULL, "ES", "Spain" },     { NULL, "FR", "France" },
    { NULL, "GB", "United Kingdom" }, { NULL, "IE", "Ireland" },   { NULL, "IN", "India" },
    { NULL, "IT", "Italy" },          { NULL, "JP", "Japan" },     { NULL, "LK", "Sri Lanka" },
    { NULL, "NL", "Netherlands" },    { NULL, "PL", "Poland" },    { NULL, "SE", "Sweden" },
    { NULL, "US", "United States" },
};
static const struct place states[] = {
    { "AU", "NSW", "New South Wales" },
    { "AU", "WA", "Western Australia" },
    { "CA", "BC", "British Columbia" },
    { "CA", "ON", "Ontario" },
    { "CA", "QC", "Quebec" },
    { "IE", "D", "Dublin" },
    { "US", "CA", "California" },
    { "US", "NY", "New York" },
    { "US", "TX", "Texas" },
    { "US", "WA", "Washington" },
};
/* Each once: two countries have a state WA. */
static const char *const state_codes[] = { "BC", "CA", "D",  "NSW", "NY",
                                           "ON", "QC", "TX", "WA",  NULL };
static const char *const country_codes[] = { "AT", "AU", "BE", "BR", "CA", "CH", "DE",
                                             "ES", "FR", "GB", "IE", "IN", "IT", "JP",
                                             "LK", "NL", "PL", "SE", "US", NULL };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CODE(name, label, values)                                                                  \
    {                                                                                              \
        name, label, KIND_PICKLIST, 10, FIELD_WRITE | FIELD_RESTRICTED | FIELD_PLACE, values, 0,   \
            0, 0                                                                                   \
    }

const struct field_facts address_fields[ADDRESS_FIELDS] = {
    CODE("StateCode", "State/Province Code", state_codes),
    CODE("CountryCode", "Country Code", country_codes),
};

/* Country, or State. */
struct part {
    const char *name, *name_label, *code, *code_label;
    const char *unknown;
    const struct place *places;
    size_t count;
};

static const struct part country_part = {
    "Country",
    "Country",
    "CountryCode",
    "Country Code",
    "There's a problem with this country, even though it may appear correct. Please select a "
    "country/territory from the list of valid countries.",
    countries,
    COUNT(countries)
};
static const struct part state_part = {
    "State",
    "State/Province",
    "StateCode",
    "State/Province Code",
    "There's a problem with this state, even though it may appear correct. Please select a state "
    "from the list of valid states.",
    states,
    COUNT(states)
};

const char *
address_label(const struct field_facts *field, const char *code)
{
    const struct part *part = field == &address_fields[0] ? &state_part : &country_part;

    for (size_t i = 0; i < part->count; i++) {
        if (strcmp(part->places[i].code, code) == 0)
            return part->places[i].name;
    }
    return code;
}

/* 2.6: the bits, first bit first, of the controlling values that a value goes with; base64. */
char *
address_valid_for(const char *state_code)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char bits[(COUNT(countries) + 23) / 24 * 3] = { 0 };
    AUTO_TEXT struct text text = { 0 };

    for (size_t i = 0; i < COUNT(countries); i++) {
        for (size_t j = 0; j < COUNT(states); j++) {
            if (strcmp(states[j].code, state_code) == 0 &&
                strcmp(states[j].country, countries[i].code) == 0)
                bits[i / 8] = (unsigned char)(bits[i / 8] | 0x80u >> i % 8);
        }
    }
    for (size_t i = 0; i < sizeof(bits); i += 3) {
        unsigned group = (unsigned)bits[i] << 16 | (unsigned)bits[i + 1] << 8 | bits[i + 2];
        text_addf(&text, "%c%c%c%c", digits[group >> 18], digits[group >> 12 & 63],
                  digits[group >> 6 & 63], digits[group & 63]);
    }
    return STEAL(text.data);
}

/* Codes without regard to letter case, names as they are written (unsure). country NULL: any. */
static const struct place *
find(const struct part *part, const struct place *country, const char *text, bool by_code)
{
    for (size_t i = 0; text && i < part->count; i++) {
        const struct place *place = &part->places[i];
        if (country && place->country && strcmp(place->country, country->code) != 0)
            continue;
        if (by_code ? strcasecmp(place->code, text) == 0 : strcmp(place->name, text) == 0)
            return place;
    }
    return NULL;
}

static bool
was_sent(const struct examined *examined, const char *field)
{
    json_object_object_foreach(examined->record, name, value)
    {
        (void)value;
        if (strcasecmp(name, field) == 0)
            return true;
    }
    return false;
}

/* A state that another country has, or that none has. */
static bool
refuse_place(struct examined *examined, const struct part *part, const char *text, bool by_code)
{
    const char *field = by_code ? part->code : part->name;
    const char *label = by_code ? part->code_label : part->name_label;

    if (find(part, NULL, text, by_code))
        return refuse(examined->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", field,
                      "The existing country/territory doesn't recognize the state value for "
                      "field: %s",
                      label);
    return refuse(examined->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", field, "%s: %s",
                  part->unknown, label);
}

/* Which place the record asks for, or the row has; NULL for none. What was sent alone is followed by the other; what
 * stood there before is not let pass either, if it is wrong ("existing bad data getting enforced upon update").
 * That a create is refused whose two do not match is the strict reading: Help says that the code wins. */
static bool
choose(struct examined *examined, const struct part *part, const struct place *country,
       const struct place **ret)
{
    bool name_sent = was_sent(examined, part->name), code_sent = was_sent(examined, part->code);
    const char *name = name_sent || !code_sent ? text_after(examined, part->name) : NULL;
    const char *code = code_sent || !name_sent ? text_after(examined, part->code) : NULL;
    const struct place *by_name = find(part, country, name, false);
    const struct place *by_code = find(part, country, code, true);

    if (code && !by_code)
        return refuse_place(examined, part, code, true);
    if (name && !by_name)
        return refuse_place(examined, part, name, false);
    if (name_sent && code_sent && by_name != by_code)
        return refuse(examined->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", part->name,
                      "Mismatched integration value and ISO code for field: %s", part->name_label);
    *ret = by_code ? by_code : by_name;
    return true;
}

static void
put_place(struct examined *examined, const struct part *part, const struct place *place)
{
    json_object_object_del(examined->values, part->name);
    json_object_object_del(examined->values, part->code);
    if (!place)
        return;
    js_put_text(examined->values, part->name, place->name);
    js_put_text(examined->values, part->code, place->code);
}

/* A country that is taken away takes the state along, unless that is sent too. */
static bool
loses_state(const struct examined *examined, const struct place *country)
{
    return !country && !was_sent(examined, "State") && !was_sent(examined, "StateCode") &&
           (was_sent(examined, "Country") || was_sent(examined, "CountryCode"));
}

bool
address_check(struct examined *examined)
{
    const struct place *country = NULL, *state = NULL;
    bool any_state;

    if (!org_has_places(examined->org, examined->facts))
        return true;
    if (!choose(examined, &country_part, NULL, &country))
        return false;
    if (loses_state(examined, country)) {
        json_object_object_del(examined->values, "State");
        json_object_object_del(examined->values, "StateCode");
    }
    any_state = text_after(examined, "State") || text_after(examined, "StateCode");
    if (any_state && !country)
        return refuse(examined->refusal, 400, "FIELD_INTEGRITY_EXCEPTION", "State",
                      "A country/territory must be specified before specifying a state value for "
                      "field: State/Province");
    if (any_state && !choose(examined, &state_part, country, &state))
        return false;
    put_place(examined, &country_part, country);
    put_place(examined, &state_part, state);
    return true;
}
