--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)


--
-- Name: venuekey; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA venuekey;




--
-- Name: migration; Type: TABLE; Schema: venuekey; Owner: -
--

CREATE TABLE venuekey.migration (
    version integer NOT NULL,
    made timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: record; Type: TABLE; Schema: venuekey; Owner: -
--

CREATE TABLE venuekey.record (
    key text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    generation bigint NOT NULL,
    next_refresh timestamp with time zone,
    lease_owner text NOT NULL,
    lease_until timestamp with time zone,
    attempt bigint NOT NULL,
    intent_at timestamp with time zone,
    condition text NOT NULL,
    failures bigint NOT NULL,
    reason text NOT NULL,
    sealed bytea NOT NULL,
    digest bigint NOT NULL,
    receipt bigint NOT NULL,
    due timestamp with time zone
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0');
ALTER TABLE ONLY venuekey.record ALTER COLUMN sealed SET STORAGE EXTERNAL;


--
-- Name: version; Type: SEQUENCE; Schema: venuekey; Owner: -
--

CREATE SEQUENCE venuekey.version
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Data for Name: migration; Type: TABLE DATA; Schema: venuekey; Owner: -
--

INSERT INTO venuekey.migration VALUES (1, '2026-11-26 01:37:35.378806+00');


--
-- Data for Name: record; Type: TABLE DATA; Schema: venuekey; Owner: -
--

INSERT INTO venuekey.record VALUES ('app/ctrader', 1, 1, NULL, '', NULL, 0, NULL, '', 0, '', '\x013e51d3996547335be503d956365625001e60812df9d95a606cd154bbdbb02f3e530dd56919080b224379865b9af0d9e8ed4b7f333962a2a2e51be1cab0b6672fa5d32be035d6735925abf7579ac15b58adb795e82bf5a29e42d9388e24b6f0fcefbbf0deed9ac3fe35eed52e06bba181c2e24146870a059a15f7c84f84f703fca38e49807527bc75285ee6ddf3902274152a59601151818c5990e44fb38483cf7498a4ef030e35a32496c49e936e73c0bf604235a6c0b5a7f40fdcc4d39810', -7196174317562265507, 6103008661373598263, NULL);
INSERT INTO venuekey.record VALUES ('token/ctrader/fresh', 2, 1, '2125-01-01 00:00:00+00', '', NULL, 0, NULL, '', 0, '', '\x013e51d3996547335bbf60c2dde63aa4e9d41ffd9c7cb5ba2d8495a2423b73a1a071b306232ed9cc2026d7b003bee427eb0b74c01a5dc730a5ed90f0a7cebd8aec48c102487a76da36485cb93a18d0b87dd7bfdfc5d9fffed14a3b23208fc7d6eba22af94145d6ee3e5f7d19e8a596dd42ae7045b1f6d4dc351743752c26cc2c0043727a8aade85d737a120f600e564637458df8a967eb942b9f3943a9f4941a2bdcc4878d0f8af08d3f61ea298c89a10d10629df13c3d29207998207a5824fe2facc7a37ac46c2f68c3498203441ab9836ec0d0d39dc7a08ec4b0118754d543a06e34840312aa37e97630f13d80c58de5f5f4bca6e45acc12b47036a157f054ca8e5766afe24a7af54e', 1541347276797724810, 376767322180342683, '2125-01-01 00:00:00+00');
INSERT INTO venuekey.record VALUES ('token/ctrader/renewed', 5, 2, '2103-10-23 22:05:52.500693+00', '', NULL, 0, NULL, '', 0, '', '\x013e51d3996547335bac1b11c83c7dce332cfafc37f37a823d3a8fcd3891a5ffb13defc48ee20eef80c0ce3894be681d91b0c68627c5208c337c77824e78f58fca7f835feffae3fb46f10931775f2bd05a579282f1244c56d7e58c2e003a53dede1764d950207644aa5665d64703107bd9edad278368d6c0d1c9e7982b871aceead9cfc72a97619f989a6f8e410588e1a3b9539094ecfb8b668b09f934ee55584bbdbd58d8f66c53e4eee589cce8ad50a9591f98b65878c892d7a0799de72c83e44a8807fe91e0c06c92cd6aaf1045f4e488f70035fba27c6a5106c5c5af1219c18aa40a3c2ba0131768661416491e177a563f555dc2ae6aa33915aae6d91264938caaebbf29b5866d48dff045f889d2420c6b4af6885bc0', -615212988369009846, 4437448983992445488, '2103-10-23 22:05:52.500693+00');
INSERT INTO venuekey.record VALUES ('token/ctrader/dead', 8, 1, NULL, '', NULL, 1, NULL, 'dead', 1, 'the refresh token is used, expired or revoked', '\x013e51d3996547335bf3523d473869ebbd60d396ebe1f3d57221bfc59d9c9d7b2ee91319ce788fc6baa93ee7f6dd7fb247c716c7ea323aeaf677675149e481f447da16ed90be6e944e30fc203f37a8bf12a71a93d12d06671a27622331dcfb28f0e947f28ee377210b0ced48a6541df7720a250340cff52f562baef6e881212dffa13a13b1cbda782b543188ac703b13ec9c5fbf66307c038c9640fcb8c02128f051d733ad9c56230c2993e6fe9ba622b3c85fa8f1dd8d48c02ce729b353fca8ece13e2695a8dc7bf26fae625246bb2dd85d502736e389e9982275428273f995ab55a4ee3a164d13fca138ade8ad0b5d3db165be8bace0193b7b21b38e4f9cd453a1bd04c979f39f', 4024826770367082483, 676776466224365340, NULL);
INSERT INTO venuekey.record VALUES ('token/ctrader/uncertain', 13, 1, '2026-11-26 01:37:37.774488+00', '', NULL, 2, '2026-11-26 01:37:35.451878+00', 'uncertain', 2, 'the answer was lost', '\x013e51d3996547335b095436e91f4418760283a5ef7fbd25483f97279129300340f792c874da39090a861c549908501cf5cf7415798cdc885a7feb685b50b8e8a368a4ff99abc459acb15dfe64f455d8e8d22b1e3b06a3b263ff8f4b19996edc4e5b8ebfa9d9e9672ecbf6e273af16641a50e928ad41ca4c7535e1e75cf733c1e44735eb867e388a0b5b7cc32b83b5417a0254a754657e954749da5a3dd1b684753e6d38b706576076b6d2fb2359f9463931d691c87cc0691c352691e755eeed80b2ed37b6f6846e259aad18ad7513b1f2fe3058de12736aacc3b376b9a234cbfb47cf90adfc16d799868e5919ff2e78cdc32d7463f07187777be900b0d2b649d9fd20b32d2f95c4e3d612fd1a91b1861708', 1950497430870014795, 5606425291144947474, '2026-11-26 01:37:37.774488+00');


--
-- Name: version; Type: SEQUENCE SET; Schema: venuekey; Owner: -
--

SELECT pg_catalog.setval('venuekey.version', 13, true);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: venuekey; Owner: -
--

ALTER TABLE ONLY venuekey.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (version);


--
-- Name: record record_pkey; Type: CONSTRAINT; Schema: venuekey; Owner: -
--

ALTER TABLE ONLY venuekey.record
    ADD CONSTRAINT record_pkey PRIMARY KEY (key);


--
-- Name: due; Type: INDEX; Schema: venuekey; Owner: -
--

CREATE INDEX due ON venuekey.record USING btree (due, key COLLATE "POSIX") WHERE (due IS NOT NULL);


--
-- PostgreSQL database dump complete
--


