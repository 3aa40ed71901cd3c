import { expect, it } from 'vitest';
import { checkCidr } from './cidr';

it.each(['10.0.0.0/8', '127.0.0.1', ' 192.168.1.0/24 ', '::1', '2001:db8::/32', '::ffff:10.0.0.1', '10.0.0.1/32', 'fe80::1/128'])('takes %s', (text) => {
  expect(checkCidr(text)).toBe('good');
});

it.each(['', '10.0.0', '10.0.0.256', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '010.0.0.1', '10.0.0.0/8/8', '::1/129', '12345::', 'proxy.example.com', 'fe80::1%eth0', '[::1]', '1:2'])(
  'refuses %s',
  (text) => {
    expect(checkCidr(text)).toBe('wrong');
  },
);

it('warns of networks that everybody is in', () => {
  expect(checkCidr('0.0.0.0/0')).toBe('everybody');
  expect(checkCidr('::/0')).toBe('everybody');
});
