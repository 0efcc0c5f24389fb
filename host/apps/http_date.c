/* SPDX-License-Identifier: Apache-2.0 */
#include "http_date.h"

#include <string.h>

enum { DAY_SECONDS = 86400 };

static const char DAYS[] = "SunMonTueWedThuFriSat";
static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Days from 1970-01-01 to a date of the Gregorian calendar. The year starts in March here, so that the leap day is its
 * last one and month lengths repeat every five months. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t century = year / 100, day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return year * 365 + year / 4 - century + century / 4 + day_of_year - 719468;
}

static int month_days(int64_t year, int month)
{
    return (int)(days_from_date(month == 12 ? year + 1 : year, month % 12 + 1, 1) - days_from_date(year, month, 1));
}

static void add_name(struct lan_text *text, const char *names, int index)
{
    lan_text_bytes(text, names + 3 * (size_t)index, 3);
}

void lan_http_date_add(struct lan_text *text, int64_t seconds)
{
    int64_t days = seconds / DAY_SECONDS, second = seconds % DAY_SECONDS;
    int64_t year = 1970 + days / 366; /* not past the year sought */
    int month = 1;
    while (days_from_date(year + 1, 1, 1) <= days)
        year++;
    while (month < 12 && days_from_date(year, month + 1, 1) <= days)
        month++;

    add_name(text, DAYS, (int)((days + 4) % 7)); /* day 0 was a Thursday */
    lan_text_add(text, ", ");
    lan_text_padded(text, (uint64_t)(days - days_from_date(year, month, 1) + 1), 2, 10);
    lan_text_add(text, " ");
    add_name(text, MONTHS, month - 1);
    lan_text_add(text, " ");
    lan_text_padded(text, (uint64_t)year, 4, 10);
    lan_text_add(text, " ");
    lan_text_padded(text, (uint64_t)(second / 3600), 2, 10);
    lan_text_add(text, ":");
    lan_text_padded(text, (uint64_t)(second / 60 % 60), 2, 10);
    lan_text_add(text, ":");
    lan_text_padded(text, (uint64_t)(second % 60), 2, 10);
    lan_text_add(text, " GMT");
}

/* A date being read against a pattern: d day, n name of the month, Y year of four digits, y of two, h hour, m minute,
 * s second; anything else stands for itself. */
struct date {
    int64_t year;
    int day, month, hour, minute, second;
};

static bool digits(const char **at, int count, int *value)
{
    for (*value = 0; count > 0; count--, (*at)++) {
        char c = **at == ' ' && count == 2 ? '0' : **at; /* asctime pads the day with a space */
        if (c < '0' || c > '9')
            return false;
        *value = *value * 10 + (c - '0');
    }
    return true;
}

static bool month_name(const char **at, int *month)
{
    for (*month = 1; *month <= 12; ++*month) {
        if (strncmp(*at, MONTHS + 3 * (*month - 1), 3) == 0) {
            *at += 3;
            return true;
        }
    }
    return false;
}

/* RFC 9110 5.6.7: a year that seems more than 50 years in the future is past; without a clock, 70 to 99 are the last
 * century's, as the epoch is. */
static bool match(const char *at, const char *pattern, struct date *date)
{
    int value = 0;
    for (; *pattern; pattern++) {
        bool good = true;
        switch (*pattern) {
        case 'd':
            good = digits(&at, 2, &date->day);
            break;
        case 'n':
            good = month_name(&at, &date->month);
            break;
        case 'Y':
            good = digits(&at, 4, &value);
            date->year = value;
            break;
        case 'y':
            good = digits(&at, 2, &value);
            date->year = value + (value < 70 ? 2000 : 1900);
            break;
        case 'h':
            good = digits(&at, 2, &date->hour);
            break;
        case 'm':
            good = digits(&at, 2, &date->minute);
            break;
        case 's':
            good = digits(&at, 2, &date->second);
            break;
        default:
            good = *at++ == *pattern;
        }
        if (!good)
            return false;
    }
    return *at == '\0';
}

int64_t lan_http_date_parse(const char *string)
{
    struct date date;
    const char *comma = strchr(string, ',');
    bool read = comma ? match(comma, ", d n Y h:m:s GMT", &date) || match(comma, ", d-n-y h:m:s GMT", &date)
                      : strlen(string) > 4 && match(string + 3, " n d h:m:s Y", &date);
    if (!read || date.year < 1970 || date.day < 1 || date.day > month_days(date.year, date.month) || date.hour > 23 ||
        date.minute > 59 || date.second > 60)
        return -1;
    return days_from_date(date.year, date.month, date.day) * DAY_SECONDS + date.hour * 3600 + date.minute * 60 +
           date.second;
}
