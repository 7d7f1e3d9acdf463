/*
 * What feature SQL may use. The bytes of a partition are its identity, and it is built again after months, elsewhere and
 * beside other days: so they may depend on the SQL, the rows of its inputs, `getvariable('partition')` and the engine's
 * version (`FEATURE_ENGINE`), and on nothing else. Whatever is not listed here is refused, so that what a new version of
 * the engine brings is refused as well until somebody has read about it. DuckDB's own label "consistent" is not enough:
 * it is given to `age(x)` and `current_localtimestamp()`, which read the clock, and to `query_table('x')`.
 *
 * What determines a result, where it is not plain:
 * - Row order. One thread, inputs in the order of their files, and no spilling: the engine's order is a function of SQL and
 *   inputs. SQL still has to name an order where the order is the result (`list`, `first`, `row_number`, LIMIT, frames of
 *   rows), because without it the answer is an accident of the plan. The engine's order only breaks the ties that remain,
 *   fixes the order in which floating-point numbers are added, and picks for `any_value`, `arg_max` and `mode`, whose names
 *   admit it. Measured: joins and groups of 1.5 M rows gave the same sums and orders with memory for 300 MB and 1 GB.
 * - Time zones. `TimeZone` is UTC and locked; ICU's rules are compiled into the engine. So casts to and from instants
 *   (TIMESTAMPTZ) are functions of their argument. Other settings have their defaults, and are locked.
 * - Libraries. `ln`, `exp` and their like come from the platform's libm, whose last bit may differ between processors;
 *   features are kept as 32-bit floats, of which that bit is no part but in very rare cases.
 * - Left out although it repeats: `hash` (its values change with the engine's version, and a model has learned the old
 *   ones), `list_distinct`, `entropy` (order of the standard library's hash tables), approximations (their error depends on
 *   the order of rows), names of types and versions, collations, states of aggregates.
 */

/** A list of names, as it reads best. */
const names = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Aggregates whose result is a function of the multiset of their rows, or which say that any of several answers will do. */
const AGGREGATES = names(`
  any_value arg_max arg_max_null arg_min arg_min_null argmax argmin avg bit_and bit_or bit_xor bool_and bool_or corr count
  count_if count_star countif covar_pop covar_samp favg fsum geomean geometric_mean histogram kahan_sum kurtosis
  kurtosis_pop mad max max_by mean median min min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy
  regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp sum
  sumkahan var_pop var_samp variance wavg weighted_avg
`);

/** Aggregates and window functions whose result is the order of rows: they need an ORDER BY. */
export const ORDERED: ReadonlySet<string> = new Set(
  names(`
    arbitrary array_agg first group_concat last list listagg string_agg
    first_value lag last_value lead nth_value ntile row_number
  `),
);

/** Functions that sort a list: it does not matter in which order the list was collected. */
export const SORTS: ReadonlySet<string> = new Set(names('array_reverse_sort array_sort list_reverse_sort list_sort'));

/** Window functions that give the same to rows of the same rank. */
const WINDOWS = names('cume_dist dense_rank percent_rank rank rank_dense');

/** Functions of their arguments. */
const SCALARS = names(`
  + - * / // % ** ^ & | ~ << >> xor @ !__postfix
  abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees divide even exp factorial
  fdiv floor fmod gamma gcd greatest greatest_common_divisor isfinite isinf isnan lcm least least_common_multiple lgamma ln
  log log10 log2 mod multiply nextafter pi pow power radians round round_even roundbankers sign signbit sin sinh sqrt
  subtract tan tanh trunc constant_or_null nullif

  || ^@ ~~ !~~ ~~* !~~* ~~~ like_escape not_like_escape ilike_escape not_ilike_escape
  ascii array_to_string base64 bin bit_length char_length character_length chr concat concat_ws contains
  damerau_levenshtein decode editdist3 encode ends_with format from_base64 from_binary from_hex hamming hex instr jaccard
  jaro_similarity jaro_winkler_similarity lcase left len length levenshtein lower lpad ltrim md5 md5_number
  md5_number_lower md5_number_upper mismatches nfc_normalize octet_length ord position prefix printf regexp_escape
  regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat replace
  reverse right rpad rtrim sha1 sha256 split split_part starts_with str_split str_split_regex string_split
  string_split_regex string_to_array strip_accents strlen strpos substr substring suffix to_base64 to_binary to_hex
  translate trim ucase unbin unhex unicode upper url_decode url_encode

  age century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth
  dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian last_day
  make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns microsecond millennium millisecond minute month
  monthname nanosecond normalized_interval quarter second strftime strptime time_bucket timezone to_centuries to_days
  to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds
  to_timestamp to_weeks to_years try_strptime week weekday weekofyear year yearweek

  && <@ @> <-> <=> array_aggr array_aggregate array_append array_apply array_cat array_concat array_contains
  array_cosine_distance array_cosine_similarity array_cross_product array_distance array_dot_product array_extract
  array_filter array_grade_up array_has array_has_all array_has_any array_indexof array_inner_product array_length
  array_pop_back array_pop_front array_position array_prepend array_push_back array_push_front array_reduce array_resize
  array_reverse array_reverse_sort array_select array_slice array_sort array_transform array_unique array_value
  array_where array_zip aggregate apply cardinality element_at filter flatten generate_series grade_up list_aggr
  list_aggregate list_any_value list_append list_apply list_avg list_bit_and list_bit_or list_bit_xor list_bool_and
  list_bool_or list_cat list_concat list_contains list_cosine_distance list_cosine_similarity list_count list_distance
  list_dot_product list_element list_extract list_filter list_first list_grade_up list_has list_has_all list_has_any
  list_histogram list_indexof list_inner_product list_kurtosis list_kurtosis_pop list_last list_mad list_max list_median
  list_min list_mode list_pack list_position list_prepend list_product list_reduce list_resize list_reverse
  list_reverse_sort list_select list_sem list_skewness list_slice list_sort list_stddev_pop list_stddev_samp
  list_string_agg list_sum list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip map
  map_concat map_contains map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries
  map_keys map_values range reduce row struct_concat struct_contains struct_extract struct_extract_at struct_has
  struct_indexof struct_insert struct_pack struct_position struct_update struct_values unnest

  ->> json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text
  json_extract_string json_keys json_type json_valid json_value

  getvariable
`);

/** What may be called in an expression, with or without OVER. */
export const FUNCTIONS: ReadonlySet<string> = new Set([...AGGREGATES, ...ORDERED, ...WINDOWS, ...SCALARS]);

/** Functions that call the aggregate which their second argument names. The rows are a list, so that its order is given. */
export const BY_NAME: ReadonlySet<string> = new Set(
  names('aggregate array_aggr array_aggregate list_aggr list_aggregate'),
);

/** What may be called by name over a list: aggregates, ordered ones as well. */
export const OVER_LISTS: ReadonlySet<string> = new Set([...AGGREGATES, ...names('first last list string_agg')]);

/** Table functions that make rows out of nothing but their arguments. All others read something or change the engine. */
export const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(names('range generate_series unnest'));

/** Names that SQL resolves to the clock or the session where no column in sight has them. A test asks the engine for all. */
export const SESSION_NAMES: ReadonlySet<string> = new Set(
  names(`
    current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime
    localtimestamp session_user user
  `),
);

/** Types that a value may be cast to, as the parser names them. `JSON` is the one type by name; others could be anybody's. */
export const TYPES: ReadonlySet<string> = new Set([
  ...names(`
    ARRAY BIGINT BIT BLOB BOOLEAN DATE DECIMAL DOUBLE FLOAT HUGEINT INTEGER INTERVAL LIST MAP SMALLINT STRUCT TIME TIMESTAMP
    TIMESTAMP_MS TIMESTAMP_NS TIMESTAMP_S TINYINT UBIGINT UHUGEINT UINTEGER USMALLINT UTINYINT UUID VARCHAR
  `),
  'TIMESTAMP WITH TIME ZONE',
]);

/** Kinds of node of a parsed SELECT that are understood: by their class if they have one, or else by their type. */
export const KINDS: ReadonlySet<string> = new Set(
  names(`
    SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE
    BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY PIVOT
    ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING
    COLUMN_REF CONSTANT FUNCTION WINDOW CAST CASE BETWEEN COMPARISON CONJUNCTION OPERATOR STAR LAMBDA POSITIONAL_REFERENCE
  `),
);

const CLOCK = "getvariable('partition'), the day that is built";
const CHANCE = 'md5_number_lower(id), which is the same each time';

/** What to write instead of what people most often reach for. */
export const INSTEAD: Readonly<Record<string, string>> = {
  age: 'age(later, earlier), with both moments given',
  ago: CLOCK,
  approx_count_distinct: 'count(DISTINCT x)',
  approx_quantile: 'quantile_cont(x, p)',
  approx_top_k: 'count(*) with GROUP BY',
  current_date: CLOCK,
  current_localtime: CLOCK,
  current_localtimestamp: CLOCK,
  current_time: CLOCK,
  current_timestamp: CLOCK,
  entropy: '-sum(p * ln(p)) of probabilities p',
  gen_random_uuid: CHANCE,
  get_current_time: CLOCK,
  get_current_timestamp: CLOCK,
  hash: CHANCE,
  list_distinct: 'list(DISTINCT x ORDER BY x)',
  localtime: CLOCK,
  localtimestamp: CLOCK,
  now: CLOCK,
  random: CHANCE,
  reservoir_quantile: 'quantile_cont(x, p)',
  today: CLOCK,
  transaction_timestamp: CLOCK,
  uuid: CHANCE,
};
