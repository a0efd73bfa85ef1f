import { useId } from 'preact/hooks';
import { type Country, getCountries, getCountryCallingCode, nameOfCountry } from '../phone.ts';

type CountrySelectProps = {
  readonly country: Country;
  readonly onChange: (country: Country) => void;
};

const countries = getCountries()
  .map((country) => ({ country, name: nameOfCountry(country), code: getCountryCallingCode(country) }))
  .sort((a, b) => a.name.localeCompare(b.name, 'en'));

/** Which country a number is of that does not begin with its country code. */
export function CountrySelect({ country, onChange }: CountrySelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Country</label>
      <select id={id} value={country} onChange={(event) => onChange(event.currentTarget.value as Country)}>
        {countries.map((one) => (
          <option key={one.country} value={one.country}>
            {one.name} (+{one.code})
          </option>
        ))}
      </select>
    </div>
  );
}
