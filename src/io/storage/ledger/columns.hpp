#pragma once
// The columns of sums, once for all statements that make, add to and read them. Texts of statements are literals, and
// only the preprocessor joins those.

// The first one apart, as the place where a list begins without a comma.
#define TOLLGATE_FURTHER_MEASURES(EACH) \
  EACH(attempts)                        \
  EACH(input_tokens)                    \
  EACH(cached_input_tokens)             \
  EACH(cache_write_tokens)              \
  EACH(cache_write_long_tokens)         \
  EACH(audio_input_tokens)              \
  EACH(image_input_tokens)              \
  EACH(output_tokens)                   \
  EACH(reasoning_tokens)                \
  EACH(audio_output_tokens)             \
  EACH(image_output_tokens)             \
  EACH(searches)                        \
  EACH(cost)                            \
  EACH(wasted_retry)                    \
  EACH(wasted_fallback)                 \
  EACH(wasted_hedge)                    \
  EACH(wasted_truncated)                \
  EACH(wasted_abandoned)                \
  EACH(unpriced)                        \
  EACH(estimated)                       \
  EACH(estimated_cost)                  \
  EACH(recovered)                       \
  EACH(recovered_cost)

#define TOLLGATE_MEASURE_DEFINITION(name) ", " #name " INTEGER NOT NULL"
#define TOLLGATE_MEASURE_DEFINITIONS "requests INTEGER NOT NULL" TOLLGATE_FURTHER_MEASURES(TOLLGATE_MEASURE_DEFINITION)

#define TOLLGATE_MEASURE_NAME(name) ", " #name
#define TOLLGATE_MEASURE_NAMES "requests" TOLLGATE_FURTHER_MEASURES(TOLLGATE_MEASURE_NAME)

#define TOLLGATE_MEASURE_PLACE(name) ", ?"
#define TOLLGATE_MEASURE_PLACES "?" TOLLGATE_FURTHER_MEASURES(TOLLGATE_MEASURE_PLACE)

// SQLite's own sum of two integers becomes a floating-point number where it is too large; this one stays at the end.
#define TOLLGATE_SATURATING(name)                                                                                      \
  #name " = CASE WHEN excluded." #name " > 0 AND " #name " > 9223372036854775807 - excluded." #name                    \
        " THEN 9223372036854775807 WHEN excluded." #name " < 0 AND " #name " < -9223372036854775807 - excluded." #name \
        " THEN -9223372036854775807 ELSE " #name " + excluded." #name " END"
#define TOLLGATE_MEASURE_SUM(name) ", " TOLLGATE_SATURATING(name)
#define TOLLGATE_MEASURE_SUMS TOLLGATE_SATURATING(requests) TOLLGATE_FURTHER_MEASURES(TOLLGATE_MEASURE_SUM)
